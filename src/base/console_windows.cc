#include <windows.h>

#include <array>
#include <iostream>
#include <utility>

#include "src/base/console.h"
#include "src/base/text_windows.h"

namespace echo_exporter {
namespace {

bool IsConsole(DWORD stream) {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(stream), &mode) != 0;
}

/// A line that is typed on the console, in UTF-8, with its end.
std::optional<std::string> ReadTyped(HANDLE input) {
  std::array<wchar_t, 1024> typed;
  DWORD size = 0;
  if (!ReadConsoleW(input, typed.data(), static_cast<DWORD>(typed.size()),
                    &size, nullptr) ||
      size == 0) {
    return std::nullopt;
  }
  return ToUtf8({typed.data(), size});
}

}  // namespace

Utf8Console::Utf8Console() {
  if (!IsConsole(STD_OUTPUT_HANDLE) && !IsConsole(STD_ERROR_HANDLE)) return;
  const UINT code_page = GetConsoleOutputCP();
  if (code_page != CP_UTF8 && SetConsoleOutputCP(CP_UTF8)) {
    old_code_page_ = code_page;
  }
}

void Utf8Console::Restore() {
  const UINT code_page = std::exchange(old_code_page_, 0U);
  if (code_page != 0) SetConsoleOutputCP(code_page);
}

bool IsConsoleInput() { return IsConsole(STD_INPUT_HANDLE); }

std::optional<std::string> ReadSecretLine(const std::string& prompt) {
  const HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
  DWORD before = 0;
  std::optional<std::string> line;
  if (GetConsoleMode(input, &before) != 0) {
    std::cerr << prompt << std::flush;
    SetConsoleMode(input, before & ~DWORD{ENABLE_ECHO_INPUT});
    line = ReadTyped(input);
    SetConsoleMode(input, before);
    std::cerr << "\n";
  } else if (std::string text; std::getline(std::cin, text)) {
    line = std::move(text);
  }
  while (line && (line->ends_with('\n') || line->ends_with('\r'))) {
    line->pop_back();
  }
  return line;
}

}  // namespace echo_exporter
