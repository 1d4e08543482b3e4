#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/http_server.h"
#include "echo_exporter/metrics_options.h"
#include "echo_exporter/text_sink.h"
#include "src/web/status_pages.h"

namespace echo_exporter {

/// The content and actions of the daemon's pages. The functions are called on
/// several threads at once and must stay valid until the server is destroyed.
struct WebContent {
  std::function<void(const MetricsQuery&, const TextSink&)> metrics;
  /// Bytes of memory that a call of `metrics` holds while a client is slow to
  /// read.
  std::function<std::size_t(const MetricsQuery&)> metrics_memory;
  /// TOML; one text for all requests at a time.
  std::function<std::shared_ptr<const std::string>()> config;
  /// Empty when ready, else the reason why not.
  std::function<std::string()> not_ready_reason;
  /// Responds to /probe.
  std::function<HttpResponse(const HttpRequest&)> probe;
  /// Responds to POST /-/reload.
  std::function<HttpResponse()> reload;
  StatusContent status;
};

/// The pages of the daemon, all below `place.route_prefix`.
std::vector<HttpRoute> MakeRoutes(const WebContent& content,
                                  const WebPlace& place = {});

}  // namespace echo_exporter
