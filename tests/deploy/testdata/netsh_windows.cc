// Stands for netsh.exe in tests of the installer: appends its command line to
// C:\netsh.log.

#include <windows.h>

#include <cstdio>

int main() {
  std::FILE* const log = std::fopen("C:\\netsh.log", "a");
  if (log == nullptr) return 1;
  std::fprintf(log, "%s\n", GetCommandLineA());
  return std::fclose(log) == 0 ? 0 : 1;
}
