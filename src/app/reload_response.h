#ifndef ECHO_EXPORTER_SRC_APP_RELOAD_RESPONSE_H_
#define ECHO_EXPORTER_SRC_APP_RELOAD_RESPONSE_H_

#include "echo_exporter/exporter.h"
#include "echo_exporter/http_server.h"

namespace echo_exporter {

/// What a client that has asked for a reload is told.
HttpResponse RenderReload(const Exporter::ReloadReport& report);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_RELOAD_RESPONSE_H_
