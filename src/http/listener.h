#ifndef ECHO_EXPORTER_SRC_HTTP_LISTENER_H_
#define ECHO_EXPORTER_SRC_HTTP_LISTENER_H_

#include <memory>
#include <string>
#include <utility>

#include "echo_exporter/config.h"
#include "echo_exporter/result.h"
#include "src/http/socket.h"

namespace echo_exporter {

/// A socket that listens on one address.
///
/// Immutable after construction.
class Listener {
 public:
  /// An empty host stands for all interfaces and both IP versions; "0.0.0.0"
  /// and "::" for all interfaces and one version. The scheme is for the URL.
  static Result<std::unique_ptr<Listener>> Open(const ListenAddress& address,
                                                const std::string& scheme);

  ~Listener() { CloseSocket(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  SocketHandle socket() const { return socket_; }

  /// The URL for use on this machine, with the port in use.
  const std::string& url() const { return url_; }

 private:
  Listener(SocketHandle socket, std::string url)
      : socket_(socket), url_(std::move(url)) {}

  const SocketHandle socket_;
  const std::string url_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_LISTENER_H_
