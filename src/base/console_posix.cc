#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "src/base/console.h"

namespace echo_exporter {
namespace {

/// The terminal does not show what is typed, for as long as this lives.
class HiddenInput {
 public:
  HiddenInput() : is_terminal_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

  bool is_terminal() const { return is_terminal_; }

 private:
  termios before_{};
  const bool is_terminal_;
};

}  // namespace

Utf8Console::Utf8Console() = default;

void Utf8Console::Restore() { old_code_page_ = 0; }

bool IsConsoleInput() { return isatty(STDIN_FILENO) != 0; }

std::optional<std::string> ReadSecretLine(const std::string& prompt) {
  const HiddenInput hidden;
  if (hidden.is_terminal()) std::cerr << prompt << std::flush;
  std::string line;
  const bool read = static_cast<bool>(std::getline(std::cin, line));
  if (hidden.is_terminal()) std::cerr << "\n";
  if (!read) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();  // of a file of Windows
  return line;
}

}  // namespace echo_exporter
