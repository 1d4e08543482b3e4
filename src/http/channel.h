#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "src/http/socket.h"

namespace echo_exporter {

/// Transfers bytes over one non-blocking socket, in plain text or encrypted.
/// No call waits: each returns the event to wait for before it is repeated with
/// the same arguments.
///
/// Confined to one thread.
class Channel {
 public:
  enum class State {
    kDone,     ///< `bytes` were transferred
    kToRead,   ///< nothing yet; wait until the socket can be read
    kToWrite,  ///< nothing yet; wait until the socket can be written
    kEnd,      ///< the peer has stopped sending
    kFailed,
  };
  struct Step {
    State state = State::kFailed;
    std::size_t bytes = 0;
  };

  virtual ~Channel() = default;

  /// Must be done before anything is read or written.
  virtual Step Open() = 0;
  virtual Step Read(char* data, std::size_t size) = 0;
  virtual Step Write(const char* data, std::size_t size) = 0;
  /// Informs the peer that nothing more will be written.
  virtual Step Close() = 0;

  /// After Open() has failed: the cause, and the response that can still be
  /// sent unencrypted to a client that does not use TLS; empty: none.
  virtual std::string failure() const { return {}; }
  virtual std::string plain_http_error() const { return {}; }
};

/// Unencrypted bytes.
class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(SocketHandle socket) : socket_(socket) {}

  Step Open() override { return {State::kDone, 0}; }
  Step Read(char* data, std::size_t size) override {
    const std::ptrdiff_t n = ReceiveBytes(socket_, data, size);
    if (n > 0) return {State::kDone, static_cast<std::size_t>(n)};
    if (n == 0) return {State::kEnd, 0};
    return {SocketCallWouldBlock() ? State::kToRead : State::kFailed, 0};
  }
  Step Write(const char* data, std::size_t size) override {
    const std::ptrdiff_t n =
        SendBytes(socket_, data, std::min(size, kSendBytes));
    if (n >= 0) return {State::kDone, static_cast<std::size_t>(n)};
    return {SocketCallWouldBlock() ? State::kToWrite : State::kFailed, 0};
  }
  Step Close() override { return {State::kDone, 0}; }

 private:
  /// Windows copies the data of a send() into its own memory whatever the size,
  /// so pieces are limited; smaller ones would need more calls.
  static constexpr std::size_t kSendBytes = std::size_t{256} * 1024;

  const SocketHandle socket_;
};

}  // namespace echo_exporter
