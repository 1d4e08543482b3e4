#pragma once

#include "src/base/mutex.h"

namespace echo_exporter {

/// What std::latch is meant to be. That of libstdc++ 12 loses wake-ups where
/// the system has no futex: on Windows, a thread that arrives at the same
/// moment as the last one may wait for ever.
///
/// Thread-safe.
class Latch {
 public:
  explicit Latch(int expected) : expected_(expected) {}

  void count_down() {
    const MutexLock lock(mutex_);
    --expected_;
    changed_.NotifyAll();
  }

  void wait() {
    const MutexLock lock(mutex_);
    while (expected_ > 0) changed_.Wait(mutex_);
  }

  void arrive_and_wait() {
    count_down();
    wait();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int expected_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
