#include <winsock2.h>

#include <string>
#include <string_view>
#include <system_error>

#include "src/http/socket.h"

namespace echo_exporter {
namespace {

SOCKET Native(SocketHandle socket) { return static_cast<SOCKET>(socket); }

}  // namespace

void SetExclusiveAddress(SocketHandle socket) {
  // On Windows SO_REUSEADDR would let any process share the port and take its
  // connections; without either option one that sets SO_REUSEADDR still could.
  const BOOL on = TRUE;
  setsockopt(Native(socket), SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
             reinterpret_cast<const char*>(&on), sizeof(on));
}

bool SocketCallWouldBlock() { return WSAGetLastError() == WSAEWOULDBLOCK; }

bool SocketCallLacksMeans() {
  const int code = WSAGetLastError();
  return code == WSAEMFILE || code == WSAENOBUFS;
}

std::string SocketErrorText() {
  const int code = WSAGetLastError();
  std::string text = std::system_category().message(code);
  while (!text.empty() && std::string_view(". \r\n").find(text.back()) !=
                              std::string_view::npos) {
    text.pop_back();
  }
  return text + " (" + std::to_string(code) + ")";
}

void FinishSending(SocketHandle socket) { shutdown(Native(socket), SD_SEND); }

void ShutDownSocket(SocketHandle socket) { shutdown(Native(socket), SD_BOTH); }

void CloseSocket(SocketHandle socket) { closesocket(Native(socket)); }

}  // namespace echo_exporter
