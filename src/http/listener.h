#ifndef ECHO_EXPORTER_SRC_HTTP_LISTENER_H_
#define ECHO_EXPORTER_SRC_HTTP_LISTENER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "echo_exporter/config.h"
#include "echo_exporter/result.h"
#include "src/http/socket.h"

namespace echo_exporter {

/// A socket that listens on one address.
///
/// Accept() is confined to one thread; Url() is thread-safe.
class Listener {
 public:
  /// An empty host stands for all interfaces and both IP versions; "0.0.0.0"
  /// and "::" for all interfaces and one version. The scheme is for the URL.
  static Result<std::unique_ptr<Listener>> Open(const ListenAddress& address,
                                                const std::string& scheme);

  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Waits for a client for at most `patience`; absent when none connected. The
  /// socket is non-blocking and owned by the caller. kExhausted: no descriptors
  /// or no memory left; kUnavailable: any other error, such as a client that
  /// has disconnected already.
  Result<std::optional<SocketHandle>> Accept(
      std::chrono::milliseconds patience);

  /// The URL for use on this machine, with the port in use.
  const std::string& url() const { return url_; }

 private:
  Listener(SocketHandle socket, std::string url);

  const SocketHandle socket_;
  const std::string url_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_LISTENER_H_
