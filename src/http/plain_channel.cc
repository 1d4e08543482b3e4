#include <algorithm>
#include <cstddef>

#include "src/http/channel.h"
#include "src/http/socket.h"

namespace echo_exporter {
namespace {

// Windows copies the data of a send() into its own memory whatever the size, so
// pieces are limited; smaller ones would need more calls.
constexpr std::size_t kSendBytes = std::size_t{256} * 1024;

}  // namespace

Channel::Step PlainChannel::Read(char* data, std::size_t size) {
  const std::ptrdiff_t n = ReceiveBytes(socket_, data, size);
  if (n > 0) return {State::kDone, static_cast<std::size_t>(n)};
  if (n == 0) return {State::kEnd, 0};
  return {SocketCallWouldBlock() ? State::kToRead : State::kFailed, 0};
}

Channel::Step PlainChannel::Write(const char* data, std::size_t size) {
  const std::ptrdiff_t n = SendBytes(socket_, data, std::min(size, kSendBytes));
  if (n >= 0) return {State::kDone, static_cast<std::size_t>(n)};
  return {SocketCallWouldBlock() ? State::kToWrite : State::kFailed, 0};
}

}  // namespace echo_exporter
