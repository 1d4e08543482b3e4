#ifndef ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
#define ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_

#include "echo_exporter/result.h"

namespace echo_exporter {

/// Rights that a process still needs after it has started.
struct KeptRights {
  bool raw_sockets = false;  ///< to open further ones
};

/// Permanently drops every right but `rights`, for all threads. Call it when
/// ports are bound and sockets are open; no thread may block all signals. Fails
/// when other rights remain; the process should then end, since it has more
/// rights than its administrator expects.
///
/// Linux: CAP_NET_RAW is kept for raw sockets if the process has it; every
/// other capability is dropped. Programs that the process starts get none. The
/// user ids are kept, and with them the access that file modes allow.
Status DropPrivileges(const KeptRights& rights);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_PRIVILEGES_H_
