#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "src/base/console.h"
#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

constexpr UINT kOldCodePage = 437;

/// Lets this process use the console of another one, as standard output, for as
/// long as it lives. It has no window, so that no display is needed.
class OtherConsole {
 public:
  OtherConsole() {
    std::wstring command = L"cmd.exe";  // waits for what is typed there
    STARTUPINFOW startup{};
    startup.cb = sizeof(startup);
    PROCESS_INFORMATION started{};
    EXPECT_TRUE(CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE,
                               CREATE_NO_WINDOW, nullptr, nullptr, &startup,
                               &started));
    process_.reset(started.hProcess);
    CloseHandle(started.hThread);
    FreeConsole();
    // Until it has made its console.
    while (!AttachConsole(started.dwProcessId) &&
           WaitForSingleObject(process_.get(), 0) == WAIT_TIMEOUT) {
      std::this_thread::yield();
    }
    output_ = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                          OPEN_EXISTING, 0, nullptr);
    SetStdHandle(STD_OUTPUT_HANDLE, output_);
    SetConsoleOutputCP(kOldCodePage);
  }
  ~OtherConsole() {
    // Wine closes the standard handles with the console.
    SetStdHandle(STD_OUTPUT_HANDLE, nullptr);
    FreeConsole();
    for (const auto& [stream, handle] : old_handles_) {
      SetStdHandle(stream, handle);
    }
    CloseHandle(output_);
    TerminateProcess(process_.get(), 0);
  }
  OtherConsole(const OtherConsole&) = delete;
  OtherConsole& operator=(const OtherConsole&) = delete;

 private:
  static std::pair<DWORD, HANDLE> Standard(DWORD stream) {
    return {stream, GetStdHandle(stream)};
  }

  const std::array<std::pair<DWORD, HANDLE>, 3> old_handles_ = {
      Standard(STD_INPUT_HANDLE), Standard(STD_OUTPUT_HANDLE),
      Standard(STD_ERROR_HANDLE)};
  UniqueKernelHandle process_;
  HANDLE output_ = INVALID_HANDLE_VALUE;
};

TEST(Utf8ConsoleTest, TakesUtf8AndIsSetBack) {
  const OtherConsole other;
  ASSERT_EQ(GetConsoleOutputCP(), kOldCodePage);
  {
    const Utf8Console console;
    EXPECT_EQ(GetConsoleOutputCP(), static_cast<UINT>(CP_UTF8));
  }
  EXPECT_EQ(GetConsoleOutputCP(), kOldCodePage);
}

TEST(Utf8ConsoleTest, IsSetBackOnce) {
  const OtherConsole other;
  Utf8Console console;
  console.Restore();
  EXPECT_EQ(GetConsoleOutputCP(), kOldCodePage);
  SetConsoleOutputCP(CP_UTF8);  // somebody else
  console.Restore();
  EXPECT_EQ(GetConsoleOutputCP(), static_cast<UINT>(CP_UTF8));
}

TEST(Utf8ConsoleTest, LeavesAConsoleAloneThatShowsNothingOfOurs) {
  const OtherConsole other;
  const HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
  const HANDLE error = GetStdHandle(STD_ERROR_HANDLE);
  SetStdHandle(STD_OUTPUT_HANDLE, nullptr);
  SetStdHandle(STD_ERROR_HANDLE, nullptr);
  {
    const Utf8Console console;
    EXPECT_EQ(GetConsoleOutputCP(), kOldCodePage);
  }
  SetStdHandle(STD_OUTPUT_HANDLE, output);
  SetStdHandle(STD_ERROR_HANDLE, error);
}

}  // namespace
}  // namespace echo_exporter
