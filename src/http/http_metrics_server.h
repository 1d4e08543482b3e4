#ifndef ECHO_EXPORTER_SRC_HTTP_HTTP_METRICS_SERVER_H_
#define ECHO_EXPORTER_SRC_HTTP_HTTP_METRICS_SERVER_H_

#include <memory>
#include <vector>

#include "echo_exporter/metrics_server.h"
#include "src/http/http_limits.h"

namespace echo_exporter {

/// MetricsServer::Create() with other limits than the usual ones.
Result<std::unique_ptr<MetricsServer>> CreateMetricsServer(
    const std::vector<ListenAddress>& addresses, MetricsServerHandlers handlers,
    const HttpLimits& limits, std::shared_ptr<WebSecurity> security = nullptr);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_HTTP_METRICS_SERVER_H_
