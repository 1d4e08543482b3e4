#ifndef ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
#define ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_

#include "echo_exporter/result.h"

namespace echo_exporter {

/// Gives up, for all threads and for good, every right that was needed only to
/// start. Call it once ports are bound and sockets open, in a process without
/// threads that block all signals. Fails when something is left; then the
/// process is not what its administrator takes it for, and should end.
///
/// Linux: CAP_NET_RAW stays where echo requests go through raw sockets, because
/// an IPv6 source gets a socket of its own when it is first used; every other
/// capability goes, and with datagram sockets that one as well. No program that
/// the process might start has any. The user ids stay, and with them what the
/// files' modes allow.
Status DropPrivileges();

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
