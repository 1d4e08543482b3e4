#ifndef ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
#define ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_

#include "echo_exporter/result.h"

namespace echo_exporter {

/// Rights that a process goes on needing once it has started.
struct KeptRights {
  bool raw_sockets = false;  ///< to open further ones
};

/// Gives up, for all threads and for good, every right but `rights`. Call it
/// once ports are bound and sockets open, in a process without threads that
/// block all signals. Fails when something else is left; then the process is
/// not what its administrator takes it for, and should end.
///
/// Linux: CAP_NET_RAW stays for raw sockets, where the process has it; every
/// other capability goes. No program that the process might start has any. The
/// user ids stay, and with them what the files' modes allow.
Status DropPrivileges(const KeptRights& rights);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
