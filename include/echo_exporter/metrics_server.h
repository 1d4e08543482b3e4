#ifndef ECHO_EXPORTER_METRICS_SERVER_H_
#define ECHO_EXPORTER_METRICS_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/on_demand_probe.h"
#include "echo_exporter/result.h"
#include "echo_exporter/text_sink.h"
#include "echo_exporter/web_security.h"

namespace echo_exporter {

/// An answer to a request, made outside of the server.
struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  /// Further headers, names and values.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Instead of `body`, for a long one: writes it, once.
  std::function<void(const TextSink&)> write_body = nullptr;
  /// Memory that `write_body` holds until it returns.
  std::size_t held_bytes = 0;
};

/// Where the server gets its content from. Each is called on several threads
/// at once, must not throw, and must live until the server is gone.
struct MetricsServerHandlers {
  std::function<void(const TextSink&)> metrics;  ///< text format 0.0.4
  /// Memory that a call of `metrics` holds while clients take their time.
  std::function<std::size_t()> metrics_memory;
  std::function<HttpAnswer(const ProbeQuery&)> probe;
  std::function<std::string()> config;  ///< TOML
  /// Answers POST /-/reload.
  std::function<HttpAnswer()> reload;
  /// Empty when ready, else the reason why not.
  std::function<std::string()> not_ready_reason;
  std::function<std::size_t()> pair_count;
  /// Every finished request: the handler's path as registered, such as
  /// "/metrics" (never what the client wrote; "other" for unknown paths), and
  /// the status.
  std::function<void(std::string_view handler, int status)> on_request;
};

/// The embedded HTTP server.
///
/// A client that is slow, idle or malformed costs at most one of a bounded
/// number of connections for a bounded time; it never keeps others from being
/// served.
///
/// Thread-safe.
class MetricsServer {
 public:
  /// Binds every address, and fails, naming the one, when one cannot be
  /// bound; nothing is served before Start(). Without `security` it serves
  /// HTTP to everyone.
  static Result<std::unique_ptr<MetricsServer>> Create(
      const std::vector<ListenAddress>& addresses,
      MetricsServerHandlers handlers,
      std::shared_ptr<WebSecurity> security = nullptr);

  /// Stops, and waits until the last handler has returned.
  virtual ~MetricsServer() = default;

  virtual void Start() = 0;
  /// Refuses new connections and waits for requests under way, but not for
  /// longer than some seconds. May be called more than once.
  virtual void Stop() = 0;
  /// "http://127.0.0.1:10115", one per address, with the ports in use; https
  /// with TLS.
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_METRICS_SERVER_H_
