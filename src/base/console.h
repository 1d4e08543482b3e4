#pragma once

#include <optional>
#include <string>

namespace echo_exporter {

/// Has the console take output as UTF-8, which all texts of this program are:
/// on Windows it expects another code page by default, and would show names of
/// adapters as something else. Does nothing where neither standard output nor
/// standard error is a console, and on Linux.
///
/// One object at a time, because the console belongs to all its programs.
/// Confined to one thread.
class Utf8Console {
 public:
  Utf8Console();
  ~Utf8Console() { Restore(); }
  Utf8Console(const Utf8Console&) = delete;
  Utf8Console& operator=(const Utf8Console&) = delete;

  /// Sets the console back to what it was. May be called more than once.
  void Restore();

 private:
  unsigned int old_code_page_ = 0;  // 0: nothing was changed
};

/// Whether standard input is a console, where somebody types.
bool IsConsoleInput();

/// Reads a line from standard input, without its end; from a console, after
/// `prompt` on standard error, and without showing what is typed. Absent at the
/// end of the input.
std::optional<std::string> ReadSecretLine(const std::string& prompt);

}  // namespace echo_exporter
