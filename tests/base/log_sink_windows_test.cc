#include <windows.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "src/base/event_source_windows.h"
#include "src/base/log_sink.h"
#include "src/base/text_windows.h"

namespace echo_exporter {
namespace {

std::wstring MessageFile() {
  std::array<wchar_t, MAX_PATH> path;
  ExpandEnvironmentStringsW(kEventMessageFile, path.data(),
                            static_cast<DWORD>(path.size()));
  return path.data();
}

// What Event Viewer does with an event: it looks for the text in the file that
// the registry names.
std::string TextOfEvent(DWORD message, const std::string& line) {
  const HMODULE file =
      LoadLibraryExW(MessageFile().c_str(), nullptr, LOAD_LIBRARY_AS_DATAFILE);
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

TEST(EventLogTest, WindowsHoldsTheTextsOfItsEvents) {
  if (GetFileAttributesW(MessageFile().c_str()) == INVALID_FILE_ATTRIBUTES) {
    GTEST_SKIP() << "Wine has no such program";
  }
  const std::string line = R"(level=warn msg="gr\u00fc\u00df" code=%)";
  for (const DWORD message : {kWarningEvent, kErrorEvent}) {
    EXPECT_EQ(TextOfEvent(message, line), line + "\r\n") << message;
  }
}

// The event log keeps it open; an upgrade that replaced it would make Windows
// restart the services in that process, or ask for a restart of the machine.
TEST(EventLogTest, TheMessageFileBelongsToWindows) {
  std::array<wchar_t, MAX_PATH> windows;
  const UINT length = GetSystemWindowsDirectoryW(
      windows.data(), static_cast<UINT>(windows.size()));
  const std::wstring folder(windows.data(), length);
  EXPECT_EQ(_wcsicmp(MessageFile().c_str(),
                     (folder + L"\\System32\\EventCreate.exe").c_str()),
            0)
      << ToUtf8(MessageFile());
}

TEST(EventLogTest, IdentifiersAreThoseThatTheMessageFileHas) {
  for (const unsigned long id : {kWarningEvent, kErrorEvent}) {
    EXPECT_GE(id, 1U);
    EXPECT_LE(id, 1000U);
  }
}

TEST(EventLogTest, TakesLines) {
  const auto sink = CreateSystemSink();
  ASSERT_NE(sink, nullptr);
  sink->Write(LogLevel::kWarn, "a line of a test");
  sink->Write(LogLevel::kError, "");
}

}  // namespace
}  // namespace echo_exporter
