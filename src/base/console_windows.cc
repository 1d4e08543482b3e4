#include <windows.h>

#include <utility>

#include "src/base/console.h"

namespace echo_exporter {
namespace {

bool IsConsole(DWORD stream) {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(stream), &mode) != 0;
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

}  // namespace echo_exporter
