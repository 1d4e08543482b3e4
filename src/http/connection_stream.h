#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "echo_exporter/clock.h"
#include "echo_exporter/http_server.h"
#include "src/http/channel.h"
#include "src/http/connection_table.h"

namespace echo_exporter {

/// One connection as a stream of requests and responses, with a deadline for
/// each request and for each response as a whole, TLS's own messages included.
///
/// Confined to the connection's thread.
class ConnectionStream {
 public:
  /// The most bytes that are read of a request's head. One more than is
  /// allowed, to detect a head that is too long.
  static constexpr std::size_t kMaxHeadBytes = 8193;

  /// The channel uses the connection's socket and outlives the stream.
  ConnectionStream(Connection& connection, Channel& channel,
                   const HttpLimits& limits);
  ConnectionStream(const ConnectionStream&) = delete;
  ConnectionStream& operator=(const ConnectionStream&) = delete;

  /// Makes the channel ready. False when the connection is over.
  bool Open(SteadyTime deadline);

  /// Waits for the first byte of a request. False when the connection is
  /// over.
  bool AwaitRequest(SteadyTime deadline);

  /// Why the head could not be read: it was too long, possibly even its first
  /// line, or too late.
  bool head_too_long() const { return head_bytes_ >= kMaxHeadBytes; }
  bool first_line_too_long() const {
    return head_too_long() && !first_line_ended_;
  }
  bool head_too_late() const { return head_too_late_; }

  /// Memory that the current response holds besides the bytes written; it
  /// counts like bytes that the client has not read.
  void set_held_bytes(std::size_t bytes) {
    // Several large responses at once must stay within the limit.
    held_bytes_ = std::min(bytes, limits_.unsent_bytes / 4);
  }

  /// Ends the connection so that the response arrives even if the client is
  /// still sending: closing a socket with unread bytes would discard it.
  void Finish();

  /// Reads at least one byte of the request's head. Returns 0 at the end of the
  /// connection or when the head is too long; negative when nothing more can be
  /// read.
  std::ptrdiff_t Read(char* data, std::size_t size);

  /// False when not all of it was sent.
  bool Write(const char* data, std::size_t size);

  const Connection& connection() const { return connection_; }

 private:
  bool WaitUntilReady(Channel::State state, SteadyTime deadline) const;
  template <typename Call>
  Channel::Step RunUntil(SteadyTime deadline, Call call);
  std::ptrdiff_t FillBuffer(SteadyTime deadline);

  Connection& connection_;
  Channel& channel_;
  const HttpLimits limits_;

  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;  ///< of the bytes received and not read yet
  std::size_t end_ = 0;

  std::size_t head_bytes_ = 0;
  bool first_line_ended_ = false;
  bool head_too_late_ = false;
  SteadyTime receive_deadline_{};
  std::optional<SteadyTime> send_deadline_;  ///< once a response has begun
  std::size_t held_bytes_ = 0;
};

}  // namespace echo_exporter
