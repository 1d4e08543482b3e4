#pragma once

#include <unistd.h>

#include <string>
#include <system_error>

#include "src/base/unique_handle.h"

namespace echo_exporter {

struct FdTraits {
  using Handle = int;
  static Handle Invalid() { return -1; }
  static void Close(Handle fd) { close(fd); }
};

/// A file descriptor.
using UniqueFd = UniqueHandle<FdTraits>;

/// The system's text for an errno, followed by the number, as in "Permission
/// denied (13)".
inline std::string ErrnoText(int code) {
  return std::generic_category().message(code) + " (" + std::to_string(code) +
         ")";
}

}  // namespace echo_exporter
