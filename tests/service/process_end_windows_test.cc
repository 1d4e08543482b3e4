#include "src/service/service_windows.h"
//
#include <gtest/gtest.h>

#include <string>

#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr auto kAtOnce = milliseconds(0);

/// A process that does nothing and ends when told.
class Child {
 public:
  Child() {
    std::wstring command = L"cmd.exe";
    STARTUPINFOW startup{};
    startup.cb = sizeof(startup);
    PROCESS_INFORMATION started{};
    EXPECT_TRUE(CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE,
                               CREATE_SUSPENDED, nullptr, nullptr, &startup,
                               &started));
    process_.reset(started.hProcess);
    CloseHandle(started.hThread);
    id_ = started.dwProcessId;
  }
  ~Child() { End(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  HANDLE process() const { return process_.get(); }
  DWORD id() const { return id_; }

  void End() {
    TerminateProcess(process_.get(), 0);
    WaitForSingleObject(process_.get(), INFINITE);
  }
  /// Once it has ended: as long as there is a handle, it may still be listed.
  void CloseHandles() { process_.reset(); }

 private:
  UniqueKernelHandle process_;
  DWORD id_ = 0;
};

TEST(ProcessEndTest, WaitsByTheHandle) {
  Child child;
  EXPECT_FALSE(AwaitProcessEnd(child.process(), child.id(), kAtOnce));
  child.End();
  EXPECT_TRUE(AwaitProcessEnd(child.process(), child.id(), minutes(5)));
}

TEST(ProcessEndTest, WaitsWithoutAHandleAsWell) {
  Child child;
  EXPECT_FALSE(AwaitProcessEnd(nullptr, child.id(), milliseconds(150)));
  child.End();
  child.CloseHandles();
  EXPECT_TRUE(AwaitProcessEnd(nullptr, child.id(), minutes(5)));
}

TEST(ProcessEndTest, AProcessThatIsNotThereHasEnded) {
  EXPECT_TRUE(AwaitProcessEnd(nullptr, 0x7ffffffc, kAtOnce));
}

}  // namespace
}  // namespace echo_exporter
