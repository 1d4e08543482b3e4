#include "tests/support/raw_http_client.h"

#include <array>
#include <chrono>

namespace echo_exporter {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(30);

}  // namespace

RawHttpClient::RawHttpClient(int port, int receive_buffer, const char* source)
    : socket_(httplib::detail::create_socket(
          "", "127.0.0.1", port, AF_UNSPEC, 0, /*tcp_nodelay=*/true,
          /*ipv6_v6only=*/false,
          [receive_buffer](socket_t socket) {
            if (receive_buffer == 0) return;
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF,
                       reinterpret_cast<const char*>(&receive_buffer),
                       sizeof(receive_buffer));
          },
          [source](socket_t socket, addrinfo& address, bool& /*quit*/) {
            sockaddr_in from{};
            from.sin_family = AF_INET;
            return inet_pton(AF_INET, source, &from.sin_addr) == 1 &&
                   bind(socket, reinterpret_cast<const sockaddr*>(&from),
                        sizeof(from)) == 0 &&
                   connect(socket, address.ai_addr,
                           static_cast<socklen_t>(address.ai_addrlen)) == 0;
          })) {}

RawHttpClient::~RawHttpClient() {
  if (connected()) httplib::detail::close_socket(socket_);
}

bool RawHttpClient::Send(std::string_view text) {
  while (!text.empty()) {
    const auto sent =
        httplib::detail::send_socket(socket_, text.data(), text.size(), 0);
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
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  return httplib::detail::select_read(socket_, 0,
                                      static_cast<time_t>(microseconds)) != 0;
}

bool RawHttpClient::ReadSome(std::string* text) {
  if (!WaitForServer(kPatience)) return false;
  std::array<char, 4096> buffer;
  const auto received =
      httplib::detail::read_socket(socket_, buffer.data(), buffer.size(), 0);
  if (received <= 0) {
    closed_ = true;
    return false;
  }
  text->append(buffer.data(), static_cast<std::size_t>(received));
  return true;
}

}  // namespace echo_exporter
