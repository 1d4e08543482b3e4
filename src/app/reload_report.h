#pragma once

#include <cstddef>

#include "echo_exporter/exporter.h"
#include "echo_exporter/http_server.h"

namespace echo_exporter {

/// `pairs`: how many there are now.
void LogReload(const Exporter::ReloadReport& report, std::size_t pairs);

/// For the client that asked for it.
HttpResponse ResponseTo(const Exporter::ReloadReport& report);

}  // namespace echo_exporter
