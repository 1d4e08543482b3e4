#ifndef ECHO_EXPORTER_SRC_HTTP_SOCKET_H_
#define ECHO_EXPORTER_SRC_HTTP_SOCKET_H_

#include <cstdint>
#include <string>

namespace echo_exporter {

/// Where operating systems differ in TCP sockets and httplib does not even it
/// out. Every function takes an open socket.

/// Holds a socket of any operating system.
using SocketHandle = std::intptr_t;

/// Before a listening socket is bound: no other socket can be bound to its
/// address while it is open, and connections of the past do not keep it from
/// being bound.
void SetExclusiveAddress(SocketHandle socket);

/// Of the last socket call on this thread, which failed: true when it would
/// have succeeded later.
bool SocketCallWouldBlock();

/// Of the last socket call on this thread, which failed: true when this process
/// or the system has no descriptors or memory left for it.
bool SocketCallLacksMeans();

/// Of the last socket call on this thread, which failed: the system's words,
/// as in "Address already in use (98)".
std::string SocketErrorText();

/// Ends what is sent and received on it now; the thread that uses it still has
/// to close it.
void ShutDownSocket(SocketHandle socket);

void CloseSocket(SocketHandle socket);

/// Tells the other side that nothing more will be sent.
void FinishSending(SocketHandle socket);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_SOCKET_H_
