#ifndef ECHO_EXPORTER_HTTP_SERVER_H_
#define ECHO_EXPORTER_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/result.h"
#include "echo_exporter/text_sink.h"
#include "echo_exporter/web_security.h"

namespace echo_exporter {

/// What a response may depend on; a request's body is never read.
struct HttpRequest {
  std::string method;
  std::string path;   ///< decoded, without the query
  std::string query;  ///< as sent, without "?"
  /// Names and values, names as sent; of one name in the order sent.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// The client's address, as far as the system knows it.
  std::optional<IpAddress> client = {};

  /// The value of the first header of that name, in any case of letters;
  /// absent without one.
  std::optional<std::string> Header(std::string_view name) const;
};

/// What a handler responds. The server adds what every response needs:
/// framing, compression, security headers.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  /// Further headers, names and values.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Instead of `body`, for a long one: writes it, once. It is compressed for
  /// clients that accept that.
  std::function<void(const TextSink&)> write_body = nullptr;
  /// Bytes of memory that `write_body` holds until it returns.
  std::size_t held_bytes = 0;

  /// A line of plain text; the line feed is added.
  static HttpResponse Text(int status, std::string line);
  /// The same, and that the client is to wait for `wait`, rounded up to whole
  /// seconds, before it tries again.
  static HttpResponse RetryAfter(int status, Nanoseconds wait,
                                 std::string line);
};

/// What the server responds with at one path.
struct HttpRoute {
  std::string path;  ///< exactly, as in "/metrics"
  std::vector<std::string> methods = {"GET", "HEAD"};
  /// Called on several threads at once. What it throws becomes status 500.
  std::function<HttpResponse(const HttpRequest&)> handler;
};

/// What clients may take from a server, over all its listen addresses.
struct HttpLimits {
  /// Connections served at once. One more takes the place of one that keeps
  /// the server waiting, of the client that has the most.
  std::size_t connections = 512;
  /// Threads at once: those of the connections, and of closed ones that have
  /// not ended yet.
  std::size_t threads = 1024;
  /// Bytes of responses that wait for clients to read them. More closes one
  /// whose client does not read, chosen in the same way.
  std::size_t unsent_bytes = 64 * 1024 * 1024;
  /// Long responses that are rendered at once, those apart that wait for their
  /// clients: more would only take memory from each other, and no less time.
  std::size_t renderings = 16;

  /// From connecting to the first byte of a request, and from there to the
  /// end of its head, however often bytes drip in.
  Nanoseconds receive_timeout = std::chrono::seconds(10);
  /// For a whole response to be taken by the client's side.
  Nanoseconds send_timeout = std::chrono::seconds(30);
  /// Between requests. A Prometheus that scrapes once a minute keeps its
  /// connection: an idle one costs a sleeping thread and is the first to go
  /// when room is needed.
  Nanoseconds idle_timeout = std::chrono::seconds(65);
  /// How long Stop() waits for requests under way.
  Nanoseconds stop_timeout = std::chrono::seconds(5);
};

/// The embedded HTTP server.
///
/// A client that is slow, idle or malformed costs at most one of a bounded
/// number of connections for a bounded time; it never keeps others from being
/// served.
///
/// Thread-safe.
class HttpServer {
 public:
  /// Every finished request: the path of its route (never what the client
  /// wrote; "other" where there is no route), and the status. Called on several
  /// threads at once.
  using RequestObserver =
      std::function<void(std::string_view route, int status)>;

  /// Binds every address, and fails, naming the one, when one cannot be
  /// bound; nothing is served before Start(). Handlers and `on_request` must
  /// work until the server is gone. With `security` null it serves HTTP to
  /// everyone.
  static Result<std::unique_ptr<HttpServer>> Create(
      const std::vector<ListenAddress>& addresses,
      std::vector<HttpRoute> routes, const HttpLimits& limits,
      std::shared_ptr<WebSecurity> security, RequestObserver on_request);

  /// Stops, and waits until the last handler has returned.
  virtual ~HttpServer() = default;

  virtual void Start() = 0;
  /// Refuses new connections and waits for requests under way, but not for
  /// longer than `stop_timeout`. May be called more than once.
  virtual void Stop() = 0;
  /// "http://127.0.0.1:10115", one per address, with the ports in use; https
  /// with TLS.
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_HTTP_SERVER_H_
