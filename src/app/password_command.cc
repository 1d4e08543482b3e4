#include "src/app/password_command.h"

#include <optional>
#include <ostream>
#include <string>

#include "echo_exporter/web_security.h"
#include "src/base/console.h"

namespace echo_exporter {

int RunPassword(const PasswordOptions& options, std::ostream& out,
                std::ostream& err) {
  const auto fail = [&err](const std::string& reason) {
    err << "echo_exporter: " << reason << "\n";
    return kExitUsage;
  };
  const std::optional<std::string> password = ReadSecretLine("Password: ");
  if (!password || password->empty()) return fail("the password is empty");
  if (password->size() > kMaxPasswordBytes) {
    return fail("the password has " + std::to_string(password->size()) +
                " bytes, of which bcrypt would ignore all after the first " +
                std::to_string(kMaxPasswordBytes));
  }
  if (password->find('\0') != std::string::npos) {
    return fail("the password has a zero byte, where bcrypt would end it");
  }
  if (IsConsoleInput() && ReadSecretLine("Again: ") != password) {
    return fail("the two passwords differ");
  }
  out << HashPassword(*password, options.cost) << "\n";
  return kExitSuccess;
}

}  // namespace echo_exporter
