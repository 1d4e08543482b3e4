#ifndef ECHO_EXPORTER_SRC_HTTP_CONNECTION_STREAM_H_
#define ECHO_EXPORTER_SRC_HTTP_CONNECTION_STREAM_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "echo_exporter/clock.h"
#include "src/http/channel.h"
#include "src/http/connection_table.h"
#include "src/http/http_library.h"
#include "src/http/http_limits.h"

namespace echo_exporter {

/// What httplib reads requests from and writes answers to: one connection,
/// with a deadline for each request and for each answer as a whole, TLS's own
/// doings included.
///
/// Confined to the connection's thread.
class ConnectionStream final : public httplib::Stream {
 public:
  /// Bytes of a request's head; of a longer one httplib sees the beginning.
  /// One more than httplib allows for the first line, so that it sees when
  /// that is too long.
  static constexpr std::size_t kMaxHeadBytes =
      CPPHTTPLIB_REQUEST_URI_MAX_LENGTH + 1;

  /// The channel is one over the connection's socket, and outlives the stream.
  ConnectionStream(Connection& connection, Channel& channel,
                   const HttpLimits& limits);

  /// Makes the channel ready. False when the connection is over.
  bool Open(SteadyTime deadline);

  /// Waits for the first byte of a request. False when the connection is
  /// over.
  bool AwaitRequest(SteadyTime deadline);

  /// Why the head could not be read: it was too long, or too late.
  bool head_too_long() const { return head_bytes_ >= kMaxHeadBytes; }
  bool head_too_late() const { return head_too_late_; }

  /// Memory that the answer under way holds besides what is written; counts
  /// like bytes that the client has not read.
  void set_held_bytes(std::size_t bytes) {
    // A few large answers at once are no offence.
    held_bytes_ = std::min(bytes, limits_.unsent_bytes / 4);
  }

  /// Ends the connection such that an answer arrives although the client is
  /// still sending: to close a socket with bytes unread would revoke it.
  void Finish();

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override {
    return static_cast<socket_t>(connection_.socket());
  }

 private:
  bool WaitUntilReady(Channel::State state, SteadyTime deadline) const;
  template <typename Call>
  Channel::Step RunUntil(SteadyTime deadline, Call call);
  ssize_t FillBuffer(SteadyTime deadline);

  Connection& connection_;
  Channel& channel_;
  const HttpLimits limits_;

  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;  ///< of what is received and not read yet
  std::size_t end_ = 0;

  std::size_t head_bytes_ = 0;
  bool head_too_late_ = false;
  SteadyTime receive_deadline_{};
  std::optional<SteadyTime> send_deadline_;  ///< once an answer has begun
  std::size_t held_bytes_ = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_CONNECTION_STREAM_H_
