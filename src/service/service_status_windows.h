#pragma once

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <functional>
#include <optional>

#include "src/base/mutex.h"
#include "src/base/periodic.h"
#include "src/service/service.h"

namespace echo_exporter {

/// The state of a Windows service, reported to the service control manager.
/// Once it is stopping it only stops: a reload that ends later does not make it
/// "running" again.
///
/// Begin() comes first and NotifyStopped() last; both are confined to one
/// thread. Everything else is thread-safe, and does nothing before Begin().
class WindowsServiceStatus final : public ServiceStatus {
 public:
  /// Takes each report, under a lock: it must not call this object.
  using Reporter = std::function<void(SERVICE_STATUS)>;

  WindowsServiceStatus() = default;
  WindowsServiceStatus(const WindowsServiceStatus&) = delete;
  WindowsServiceStatus& operator=(const WindowsServiceStatus&) = delete;

  /// Reports that the service starts, and goes on reporting progress while it
  /// starts or stops, on a thread of its own. Throws std::system_error when
  /// there is no thread to be had; NotifyStopped() reports all the same.
  void Begin(Reporter report);

  void NotifyReady() override { Enter(SERVICE_RUNNING); }
  // Windows has no such state.
  void NotifyReloading() override {}
  void NotifyStopping() override { Enter(SERVICE_STOP_PENDING); }
  bool HasNoConsole() const override { return true; }

  /// The last report: the process may end at once after it. kExitUsage counts
  /// as a good end, with the code as the service's own: Windows would start the
  /// service again and again, and it would find the same configuration.
  void NotifyStopped(int exit_code);

 private:
  void Enter(DWORD state);
  void Report(DWORD state) REQUIRES(mutex_);

  Mutex mutex_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Reporter report_ GUARDED_BY(mutex_);
  SERVICE_STATUS status_ GUARDED_BY(mutex_){};
  std::optional<Periodic> checkpoints_;
};

}  // namespace echo_exporter
