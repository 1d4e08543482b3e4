#ifndef ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_
#define ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_

#include "echo_exporter/metrics_server.h"
#include "src/http/connection_table.h"
#include "src/http/http_limits.h"

namespace echo_exporter {

/// Answers the requests of one connection, one after the other, until it is
/// over. `security` may be null: anyone may ask for anything, in plain HTTP.
/// Called on the connection's thread.
void ServeHttp(Connection& connection, const HttpLimits& limits,
               const MetricsServerHandlers& handlers, WebSecurity* security);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_HTTP_SESSION_H_
