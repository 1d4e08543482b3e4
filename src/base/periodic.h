#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Calls a function on a thread of its own until destroyed: `interval` after
/// the construction and after each return.
class Periodic {
 public:
  /// `work` must not throw. Throws std::system_error without a thread.
  Periodic(Nanoseconds interval, std::function<void()> work)
      : interval_(interval),
        work_(std::move(work)),
        thread_([this] { Run(); }) {}
  /// Waits for a call in progress.
  ~Periodic() {
    {
      const MutexLock lock(mutex_);
      ended_ = true;
    }
    end_.NotifyAll();
    thread_.join();
  }
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  void Run() {
    while (Wait()) work_();
  }
  bool Wait() {
    const MutexLock lock(mutex_);
    const SteadyTime next = std::chrono::steady_clock::now() + interval_;
    while (!ended_ && end_.WaitUntil(mutex_, next)) {
    }
    return !ended_;
  }

  const Nanoseconds interval_;
  const std::function<void()> work_;
  Mutex mutex_;
  CondVar end_;
  bool ended_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace echo_exporter
