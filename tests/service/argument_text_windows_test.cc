#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>
#include <gtest/gtest.h>
#include <shellapi.h>

#include <string>
#include <vector>

#include "src/base/text_windows.h"
#include "src/service/argument_text.h"

namespace echo_exporter {
namespace {

std::vector<std::string> Split(const std::string& command_line) {
  int count = 0;
  wchar_t** const words =
      CommandLineToArgvW(ToWide(command_line).c_str(), &count);
  std::vector<std::string> arguments;
  for (int i = 0; i < count; ++i) arguments.push_back(ToUtf8(words[i]));
  LocalFree(words);
  return arguments;
}

TEST(ArgumentTextWindowsTest, TheSystemReadsBackWhatWasJoined) {
  const std::vector<std::string> arguments = {
      R"(C:\Program Files\echo_exporter\echo_exporter.exe)",
      R"(--config.file=C:\ProgramData\my folder\)",
      "",
      R"(a"b)",
      R"(\"\\" \)",
      "--log.file=C:\\gr\xc3\xbc\xc3\x9f"
      "e\\e.log",
      "plain",
      "tab\there"};
  EXPECT_EQ(Split(JoinArguments(arguments)), arguments);
}

}  // namespace
}  // namespace echo_exporter
