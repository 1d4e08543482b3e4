#pragma once

#include <iosfwd>

#include "src/app/command_line.h"

namespace echo_exporter {

/// `echo_exporter password`: asks for a password on the console, twice, or
/// reads it from a line of standard input, and writes its bcrypt hash, for
/// `basic_auth_users`, to `out`. Errors go to `err`. Returns the program's exit
/// code.
int RunPassword(const PasswordOptions& options, std::ostream& out,
                std::ostream& err);

}  // namespace echo_exporter
