#include <windows.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>

#include "src/base/event_messages_windows.h"
#include "src/base/log_sink.h"
#include "src/base/text_windows.h"

namespace echo_exporter {
namespace {

// What Event Viewer does with an event: it looks for the text in the file that
// the registry names, which is the exporter's program.
std::string TextOfEvent(DWORD message, const std::string& line) {
  std::array<wchar_t, 1000> own_path;
  GetModuleFileNameW(nullptr, own_path.data(),
                     static_cast<DWORD>(own_path.size()));
  const auto program =
      std::filesystem::path(own_path.data()).parent_path().parent_path() /
      "echo_exporter.exe";
  const HMODULE file = LoadLibraryExW(program.wstring().c_str(), nullptr,
                                      LOAD_LIBRARY_AS_DATAFILE);
  if (file == nullptr) return "no message file";
  const std::wstring wide_line = ToWide(line);
  const wchar_t* strings[] = {wide_line.c_str()};
  std::array<wchar_t, 1000> text;
  const DWORD length = FormatMessageW(
      FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, file,
      message, 0, text.data(), static_cast<DWORD>(text.size()),
      reinterpret_cast<va_list*>(const_cast<wchar_t**>(strings)));
  FreeLibrary(file);
  return ToUtf8({text.data(), length});
}

TEST(EventLogTest, TheProgramHoldsTheTextsOfItsEvents) {
  const std::string line = R"(level=warn msg="gr\u00fc\u00df" code=%)";
  for (const DWORD message : {ECHO_EXPORTER_INFORMATION, ECHO_EXPORTER_WARNING,
                              ECHO_EXPORTER_ERROR}) {
    EXPECT_EQ(TextOfEvent(message, line), line + "\r\n") << message;
  }
}

TEST(EventLogTest, TakesLines) {
  const auto sink = CreateSystemSink();
  ASSERT_NE(sink, nullptr);
  sink->Write(LogLevel::kInfo, "a line of a test");
  sink->Write(LogLevel::kError, "");
}

}  // namespace
}  // namespace echo_exporter
