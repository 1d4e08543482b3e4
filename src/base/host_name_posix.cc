#include <unistd.h>

#include <array>

#include "src/base/host_name.h"

namespace echo_exporter {

std::string OwnHostName() {
  std::array<char, 256> name{};
  // The last byte stays zero, which a name that is too long leaves out.
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  return LowerCase(name.data());
}

}  // namespace echo_exporter
