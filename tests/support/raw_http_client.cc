#include "tests/support/raw_http_client.h"

#include <array>
#include <chrono>
#include <cstddef>

#include "tests/support/client_socket.h"

namespace echo_exporter {
namespace {

constexpr std::chrono::milliseconds kServerPatience = std::chrono::minutes(5);

}  // namespace

RawHttpClient::RawHttpClient(int port, int receive_buffer, const char* source)
    : socket_(ConnectFrom(source, port, receive_buffer)) {}

RawHttpClient::~RawHttpClient() {
  if (connected()) CloseSocket(socket_);
}

bool RawHttpClient::Send(std::string_view text) {
  while (!text.empty()) {
    const std::ptrdiff_t sent = SendBytes(socket_, text.data(), text.size());
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawHttpClient::ReadUntil(std::string_view text) {
  std::string received;
  while (received.find(text) == std::string::npos && ReadSome(&received)) {
  }
  return received;
}

std::string RawHttpClient::ReadToEnd() {
  std::string received;
  while (ReadSome(&received)) {
  }
  return received;
}

bool RawHttpClient::WaitForServer(std::chrono::milliseconds patience) {
  return WaitForSocket(socket_, SocketEvent::kReadable, patience) !=
         SocketState::kNotReady;
}

bool RawHttpClient::ReadSome(std::string* text) {
  if (!WaitForServer(kServerPatience)) return false;
  std::array<char, 4096> buffer;
  const std::ptrdiff_t received =
      ReceiveBytes(socket_, buffer.data(), buffer.size());
  if (received <= 0) {
    closed_ = true;
    return false;
  }
  text->append(buffer.data(), static_cast<std::size_t>(received));
  return true;
}

}  // namespace echo_exporter
