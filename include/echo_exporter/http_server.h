#pragma once

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

/// The parts of a request that a response may depend on; a request's body is
/// never read.
struct HttpRequest {
  std::string method;
  std::string path;   ///< decoded, without the query
  std::string query;  ///< as sent, without "?"
  /// Names and values, names as sent; those with the same name in the order
  /// sent.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// The client's address; absent when the system does not report it.
  std::optional<IpAddress> client = {};

  /// The value of the first header with that name, ignoring case; absent when
  /// there is none.
  std::optional<std::string> Header(std::string_view name) const;
  /// The values of all headers with that name, which are one list, as one.
  std::string HeaderList(std::string_view name) const;
};

/// The response of a handler. The server adds framing, compression and security
/// headers.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  /// Further headers, names and values.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Used instead of `body` for a long one: called once to write it. The body
  /// is compressed for clients that accept that.
  std::function<void(const TextSink&)> write_body = nullptr;
  /// Bytes of memory that `write_body` holds until it returns.
  std::size_t held_bytes = 0;

  /// One line of plain text; the line feed is added.
  static HttpResponse Text(int status, std::string line);
  /// The same, and asks the client to wait for `wait`, rounded up to whole
  /// seconds, before it retries.
  static HttpResponse RetryAfter(int status, Nanoseconds wait,
                                 std::string line);
};

/// Where clients find the pages, as with Prometheus's options of these names.
struct WebPlace {
  /// The beginning of every path: empty, or as in "/echo".
  std::string route_prefix;
  /// The URL of the first page as clients see it, without a slash at its end;
  /// empty: that of this server.
  std::string external_url;
};

/// The handler for one path.
struct HttpRoute {
  std::string path;  ///< exactly, as in "/metrics"
  /// The route's name in metrics; empty: the path.
  std::string name = {};
  std::vector<std::string> methods = {"GET", "HEAD"};
  /// Called on several threads at once. An exception becomes status 500.
  std::function<HttpResponse(const HttpRequest&)> handler;
};

/// The resources of a server that clients may use, over all its listen
/// addresses.
struct HttpLimits {
  /// Connections served at once. When full, a new connection evicts an idle one
  /// of the client with the most connections. Idle connections are those that
  /// wait for the client to send a request or to read a response.
  std::size_t connections = 512;
  /// Threads at once: those of open connections, and of closed ones whose
  /// thread has not ended yet.
  std::size_t threads = 1024;
  /// Bytes of responses that clients have not read yet. Beyond it, a connection
  /// whose client does not read is evicted, chosen in the same way.
  std::size_t unsent_bytes = std::size_t{64} * 1024 * 1024;
  /// Long responses that are rendered at once, not counting those that wait for
  /// their clients to read. More would use more memory and be no faster.
  std::size_t renderings = 16;

  /// From connecting to the first byte of a request, and from there to the
  /// end of its head, even if bytes keep arriving.
  Nanoseconds receive_timeout = std::chrono::seconds(10);
  /// For the client to read a whole response.
  Nanoseconds send_timeout = std::chrono::seconds(30);
  /// Between requests. Long enough for a Prometheus that scrapes once a minute
  /// to keep its connection: an idle one costs a sleeping thread and is the
  /// first to be evicted.
  Nanoseconds idle_timeout = std::chrono::seconds(65);
  /// How long Stop() waits for requests in progress.
  Nanoseconds stop_timeout = std::chrono::seconds(5);
};

/// The embedded HTTP server.
///
/// A client that is slow, idle or sends malformed requests occupies at most one
/// of a bounded number of connections for a bounded time; it never prevents
/// others from being served.
///
/// Thread-safe.
class HttpServer {
 public:
  /// Called for every finished request with the path of its route (never the
  /// text of the client; "other" if there is no route) and the status, on
  /// several threads at once.
  using RequestObserver =
      std::function<void(std::string_view route, int status)>;

  /// Binds every address; the error names the address that cannot be bound.
  /// Nothing is served before Start(). Handlers and `on_request` must stay
  /// valid until the server is destroyed. With `security` null it serves plain
  /// HTTP to everyone.
  static Result<std::unique_ptr<HttpServer>> Create(
      const std::vector<ListenAddress>& addresses,
      std::vector<HttpRoute> routes, const HttpLimits& limits,
      std::shared_ptr<WebSecurity> security, RequestObserver on_request);

  /// Stops, and waits until the last handler has returned.
  virtual ~HttpServer() = default;

  virtual void Start() = 0;
  /// Rejects new connections and waits for requests in progress, for at most
  /// `stop_timeout`. May be called more than once.
  virtual void Stop() = 0;
  /// "http://127.0.0.1:10115", one per address, with the ports in use; https
  /// with TLS.
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter
