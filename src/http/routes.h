#ifndef ECHO_EXPORTER_SRC_HTTP_ROUTES_H_
#define ECHO_EXPORTER_SRC_HTTP_ROUTES_H_

#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/ip_address.h"
#include "echo_exporter/metrics_server.h"

namespace echo_exporter {

/// What the answer to a request depends on.
struct HttpRequest {
  std::string method;
  std::string path;   ///< decoded
  std::string query;  ///< as sent, without "?"
  /// The header X-Prometheus-Scrape-Timeout-Seconds.
  std::optional<std::string> scrape_timeout;
  std::optional<IpAddress> client;
};

/// Answers with what the handlers give; throws what they throw. Thread-safe.
HttpAnswer AnswerRequest(const HttpRequest& request,
                         const MetricsServerHandlers& handlers);

inline constexpr std::string_view kHtmlContentType = "text/html; charset=utf-8";

/// What a path counts as: itself when it is one of the server's, else "other".
std::string_view HandlerName(std::string_view path);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_ROUTES_H_
