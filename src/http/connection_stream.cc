#include "src/http/connection_stream.h"

#include <algorithm>
#include <chrono>

#include "src/http/socket.h"

namespace echo_exporter {
namespace {

// How soon a thread notices that its connection was closed, on systems where
// shutting down the socket does not wake it.
constexpr Nanoseconds kLookAgain = std::chrono::milliseconds(200);

// What a client may still send after the last response.
constexpr Nanoseconds kFinishTimeout = std::chrono::seconds(2);
constexpr std::size_t kFinishBytes = std::size_t{256} * 1024;

SteadyTime Now() { return Clock::System().Now(); }

}  // namespace

ConnectionStream::ConnectionStream(Connection& connection, Channel& channel,
                                   const HttpLimits& limits)
    : connection_(connection), channel_(channel), limits_(limits) {}

bool ConnectionStream::Open(SteadyTime deadline) {
  connection_.BeginWaiting();
  return RunUntil(deadline, [this] { return channel_.Open(); }).state ==
         Channel::State::kDone;
}

bool ConnectionStream::AwaitRequest(SteadyTime deadline) {
  connection_.BeginWaiting();
  head_bytes_ = 0;
  first_line_ended_ = false;
  send_deadline_.reset();
  if (begin_ == end_ && FillBuffer(deadline) <= 0) return false;
  receive_deadline_ = Now() + limits_.receive_timeout;
  return true;
}

void ConnectionStream::Finish() {
  connection_.BeginWaiting();
  const SteadyTime deadline = Now() + kFinishTimeout;
  RunUntil(deadline, [this] { return channel_.Close(); });
  FinishSending(connection_.socket());
  // The remaining bytes are discarded, so they need not be decrypted.
  PlainChannel rest(connection_.socket());
  std::size_t discarded = 0;
  while (discarded < kFinishBytes) {
    const Channel::Step step = RunUntil(
        deadline, [&] { return rest.Read(buffer_.data(), buffer_.size()); });
    if (step.state != Channel::State::kDone) return;
    discarded += step.bytes;
  }
}

std::ptrdiff_t ConnectionStream::Read(char* data, std::size_t size) {
  if (head_too_long()) return 0;
  if (begin_ == end_) {
    const std::ptrdiff_t received = FillBuffer(receive_deadline_);
    if (received <= 0) return received;
  }
  const std::size_t taken =
      std::min({size, end_ - begin_, kMaxHeadBytes - head_bytes_});
  std::copy_n(buffer_.data() + begin_, taken, data);
  if (std::find(data, data + taken, '\n') != data + taken) {
    first_line_ended_ = true;
  }
  begin_ += taken;
  head_bytes_ += taken;
  return static_cast<std::ptrdiff_t>(taken);
}

bool ConnectionStream::Write(const char* data, std::size_t size) {
  if (!send_deadline_) send_deadline_ = Now() + limits_.send_timeout;
  std::size_t sent = 0;
  while (sent < size) {
    if (connection_.cut()) return false;
    const Channel::Step step = channel_.Write(data + sent, size - sent);
    if (step.state == Channel::State::kDone) {
      sent += step.bytes;
      continue;
    }
    connection_.BeginWaiting(size - sent + held_bytes_);
    if (!WaitUntilReady(step.state, *send_deadline_)) return false;
  }
  return true;
}

/// False when `state` is not one to wait for, or the event did not occur in
/// time.
bool ConnectionStream::WaitUntilReady(Channel::State state,
                                      SteadyTime deadline) const {
  if (state != Channel::State::kToRead && state != Channel::State::kToWrite) {
    return false;
  }
  const SocketEvent event = state == Channel::State::kToRead
                                ? SocketEvent::kReadable
                                : SocketEvent::kWritable;
  for (;;) {
    const Nanoseconds left = deadline - Now();
    // Even if the socket is ready: the deadline is for the whole request or
    // response.
    if (connection_.cut() || left <= Nanoseconds::zero()) return false;
    // Rounded up: just before the deadline, a wait of 0 ms would return at once
    // and be repeated.
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(
        std::min(left, kLookAgain));
    switch (WaitForSocket(connection_.socket(), event, timeout)) {
      case SocketState::kReady:
        return true;
      case SocketState::kNotReady:
        break;
      case SocketState::kFailed:
        return false;
    }
  }
}

/// Repeats `call`, waiting as it requests, until it is complete. Returns its
/// last step, which still requests a wait if the deadline was reached.
template <typename Call>
Channel::Step ConnectionStream::RunUntil(SteadyTime deadline, Call call) {
  for (;;) {
    if (connection_.cut()) return {};
    const Channel::Step step = call();
    if (!WaitUntilReady(step.state, deadline)) return step;
  }
}

/// Refills the buffer; 0 at the end of the stream, negative when nothing was
/// received for another reason.
std::ptrdiff_t ConnectionStream::FillBuffer(SteadyTime deadline) {
  begin_ = end_ = 0;
  const Channel::Step step = RunUntil(deadline, [this] {
    return channel_.Read(buffer_.data(), buffer_.size());
  });
  switch (step.state) {
    case Channel::State::kDone:
      end_ = step.bytes;
      return static_cast<std::ptrdiff_t>(end_);
    case Channel::State::kEnd:
      return 0;
    case Channel::State::kToRead:
    case Channel::State::kToWrite:
      head_too_late_ = true;
      return -1;
    case Channel::State::kFailed:
      return -1;
  }
  return -1;
}

}  // namespace echo_exporter
