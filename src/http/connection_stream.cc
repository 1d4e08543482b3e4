#include "src/http/connection_stream.h"

#include <algorithm>
#include <chrono>

#include "src/http/socket.h"

namespace echo_exporter {
namespace {

// How soon a thread sees that it is cut where shutting its socket down does
// not wake it.
constexpr Nanoseconds kLookAgain = std::chrono::milliseconds(200);

// What a client may still send after the last answer.
constexpr Nanoseconds kFinishTimeout = std::chrono::seconds(2);
constexpr std::size_t kFinishBytes = 256 * 1024;

// Windows takes a whole send() into its own memory however long it is; smaller
// pieces are so many more calls.
constexpr std::size_t kSendBytes = 256 * 1024;

SteadyTime Now() { return Clock::System().Now(); }

}  // namespace

ConnectionStream::ConnectionStream(Connection& connection,
                                   const HttpLimits& limits)
    : connection_(connection), limits_(limits) {}

bool ConnectionStream::AwaitRequest(Nanoseconds patience) {
  connection_.BeginWaiting();
  head_bytes_ = 0;
  send_deadline_.reset();
  if (begin_ == end_ && !WaitUntilReady(Readiness::kToRead, Now() + patience)) {
    return false;
  }
  receive_deadline_ = Now() + limits_.receive_timeout;
  return true;
}

void ConnectionStream::Finish() {
  connection_.BeginWaiting();
  FinishSending(connection_.socket());
  receive_deadline_ = Now() + kFinishTimeout;
  std::size_t discarded = 0;
  ssize_t received = 0;
  while (discarded < kFinishBytes && (received = FillBuffer()) > 0) {
    discarded += static_cast<std::size_t>(received);
  }
}

bool ConnectionStream::is_readable() const {
  return begin_ < end_ || WaitUntilReady(Readiness::kToRead, receive_deadline_);
}

// write() waits by itself, and lets it be known.
bool ConnectionStream::is_writable() const { return !connection_.cut(); }

ssize_t ConnectionStream::read(char* data, size_t size) {
  // httplib gives up on a head that ends in the middle of a line.
  if (head_too_long()) return 0;
  if (begin_ == end_) {
    const ssize_t received = FillBuffer();
    if (received <= 0) return received;
  }
  const std::size_t taken =
      std::min({size, end_ - begin_, kMaxHeadBytes - head_bytes_});
  std::copy_n(buffer_.data() + begin_, taken, data);
  begin_ += taken;
  head_bytes_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t ConnectionStream::write(const char* data, size_t size) {
  if (!send_deadline_) send_deadline_ = Now() + limits_.send_timeout;
  std::size_t sent = 0;
  while (sent < size) {
    if (connection_.cut()) return -1;
    const ssize_t n = httplib::detail::send_socket(
        socket(), data + sent, std::min(size - sent, kSendBytes), 0);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (!SocketCallWouldBlock()) return -1;
    connection_.BeginWaiting(size - sent + held_bytes_);
    if (!WaitUntilReady(Readiness::kToWrite, *send_deadline_)) return -1;
  }
  return static_cast<ssize_t>(size);
}

void ConnectionStream::get_remote_ip_and_port(std::string& ip,
                                              int& port) const {
  httplib::detail::get_remote_ip_and_port(socket(), ip, port);
}

void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  httplib::detail::get_local_ip_and_port(socket(), ip, port);
}

bool ConnectionStream::WaitUntilReady(Readiness readiness,
                                      SteadyTime deadline) const {
  const auto select = readiness == Readiness::kToRead
                          ? httplib::detail::select_read
                          : httplib::detail::select_write;
  for (;;) {
    const Nanoseconds left = deadline - Now();
    // However much more there is: a deadline is one of the whole.
    if (connection_.cut() || left <= Nanoseconds::zero()) return false;
    // Rounded up: a poll of 0 ms before a deadline would come back at once.
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(
        std::min(left, kLookAgain));
    const auto ready = select(
        socket(), 0,
        static_cast<time_t>(std::chrono::microseconds(patience).count()));
    if (ready != 0) return ready > 0;
  }
}

/// Replaces what is in the buffer; 0 at the end, negative when there is no
/// more for another reason.
ssize_t ConnectionStream::FillBuffer() {
  begin_ = end_ = 0;
  if (!WaitUntilReady(Readiness::kToRead, receive_deadline_)) {
    head_too_late_ = true;
    return -1;
  }
  const ssize_t received =
      httplib::detail::read_socket(socket(), buffer_.data(), buffer_.size(), 0);
  if (received > 0) end_ = static_cast<std::size_t>(received);
  return received;
}

}  // namespace echo_exporter
