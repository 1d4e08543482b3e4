#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "src/http/socket.h"

namespace echo_exporter {
namespace {

int Native(SocketHandle socket) { return static_cast<int>(socket); }

}  // namespace

void SetExclusiveAddress(SocketHandle socket) {
  // On Linux SO_REUSEADDR lets a listener take an address whose connections
  // are in TIME_WAIT, and never one that has a listener (socket(7)).
  const int on = 1;
  setsockopt(Native(socket), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

bool SocketCallWouldBlock() { return errno == EWOULDBLOCK || errno == EINTR; }

bool SocketCallLacksMeans() {
  return errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
         errno == ENOMEM;
}

std::string SocketErrorText() {
  const int code = errno;
  return std::system_category().message(code) + " (" + std::to_string(code) +
         ")";
}

void FinishSending(SocketHandle socket) { shutdown(Native(socket), SHUT_WR); }

void ShutDownSocket(SocketHandle socket) {
  shutdown(Native(socket), SHUT_RDWR);
}

void CloseSocket(SocketHandle socket) { close(Native(socket)); }

}  // namespace echo_exporter
