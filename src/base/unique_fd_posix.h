#ifndef ECHO_EXPORTER_SRC_BASE_UNIQUE_FD_POSIX_H_
#define ECHO_EXPORTER_SRC_BASE_UNIQUE_FD_POSIX_H_

#include <unistd.h>

#include "src/base/unique_handle.h"

namespace echo_exporter {

struct FdTraits {
  using Handle = int;
  static Handle Invalid() { return -1; }
  static void Close(Handle fd) { close(fd); }
};

/// A file descriptor.
using UniqueFd = UniqueHandle<FdTraits>;

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_UNIQUE_FD_POSIX_H_
