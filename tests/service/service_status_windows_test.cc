#include "src/service/service_status_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "src/base/exit_code.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;

class ServiceStatusTest : public testing::Test {
 protected:
  ServiceStatusTest() {
    status_.Begin([this](SERVICE_STATUS report) {
      const MutexLock lock(mutex_);
      reports_.push_back(report);
    });
  }
  ~ServiceStatusTest() override { status_.NotifyStopped(kExitSuccess); }

  std::vector<SERVICE_STATUS> reports() {
    const MutexLock lock(mutex_);
    return reports_;
  }

  /// The states in their order, without the checkpoints of a slow machine.
  std::vector<DWORD> states() {
    std::vector<DWORD> states;
    for (const SERVICE_STATUS& report : reports()) {
      if (states.empty() || states.back() != report.dwCurrentState) {
        states.push_back(report.dwCurrentState);
      }
    }
    return states;
  }

  void WaitForReports(std::size_t count) {
    while (reports().size() < count) std::this_thread::yield();
  }

  Mutex mutex_;
  std::vector<SERVICE_STATUS> reports_ GUARDED_BY(mutex_);
  WindowsServiceStatus status_;
};

TEST_F(ServiceStatusTest, ReportsFromTheStartToTheEnd) {
  status_.NotifyReady();
  status_.NotifyReloading();
  status_.NotifyReady();
  EXPECT_EQ(reports().back().dwControlsAccepted,
            static_cast<DWORD>(SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                               SERVICE_ACCEPT_PRESHUTDOWN |
                               SERVICE_ACCEPT_PARAMCHANGE));
  status_.NotifyStopping();
  EXPECT_EQ(reports().back().dwControlsAccepted, 0U);
  status_.NotifyStopped(kExitSuccess);
  EXPECT_THAT(states(), ElementsAre(SERVICE_START_PENDING, SERVICE_RUNNING,
                                    SERVICE_STOP_PENDING, SERVICE_STOPPED));
}

// The control handler reports the stop while the daemon reads a large
// configuration, whose end would make the service "running" again.
TEST_F(ServiceStatusTest, AReloadThatEndsAfterAStopDoesNotUndoIt) {
  status_.NotifyReady();
  status_.NotifyReloading();
  status_.NotifyStopping();
  status_.NotifyReady();
  EXPECT_THAT(states(), ElementsAre(SERVICE_START_PENDING, SERVICE_RUNNING,
                                    SERVICE_STOP_PENDING));
}

// The handler and the daemon both report it; a checkpoint that fell back would
// look like a hang.
TEST_F(ServiceStatusTest, ASecondReportOfAStopKeepsTheCheckpoint) {
  status_.NotifyReady();
  status_.NotifyStopping();
  const std::size_t before = reports().size();
  WaitForReports(before + 1);  // a checkpoint
  const auto some = reports();
  EXPECT_GT(some.back().dwCheckPoint, some[before - 1].dwCheckPoint);
  status_.NotifyStopping();
  const auto all = reports();
  for (std::size_t i = before; i < all.size(); ++i) {
    EXPECT_EQ(all[i].dwCurrentState, static_cast<DWORD>(SERVICE_STOP_PENDING));
    EXPECT_GT(all[i].dwCheckPoint, all[i - 1].dwCheckPoint) << i;
  }
}

TEST_F(ServiceStatusTest, AFailureAtRunTimeIsOneThatWindowsRecoversFrom) {
  status_.NotifyStopped(kExitFailure);
  const SERVICE_STATUS last = reports().back();
  EXPECT_EQ(last.dwCurrentState, static_cast<DWORD>(SERVICE_STOPPED));
  EXPECT_EQ(last.dwWin32ExitCode,
            static_cast<DWORD>(ERROR_SERVICE_SPECIFIC_ERROR));
  EXPECT_EQ(last.dwServiceSpecificExitCode, static_cast<DWORD>(kExitFailure));
}

TEST_F(ServiceStatusTest, AnInvalidConfigurationDoesNotRestartForEver) {
  status_.NotifyStopped(kExitUsage);
  const SERVICE_STATUS last = reports().back();
  EXPECT_EQ(last.dwCurrentState, static_cast<DWORD>(SERVICE_STOPPED));
  EXPECT_EQ(last.dwWin32ExitCode, static_cast<DWORD>(NO_ERROR));
  EXPECT_EQ(last.dwServiceSpecificExitCode, static_cast<DWORD>(kExitUsage));
}

TEST(ServiceStatusBeforeItsBeginTest, ReportsNothing) {
  WindowsServiceStatus status;
  status.NotifyStopping();
  status.NotifyReady();
}

}  // namespace
}  // namespace echo_exporter
