// The timeout is on the clock that std::chrono::steady_clock reads, and
// never ends early; timer slack makes it 50 us late.

#include "src/base/mutex.h"
#include "src/base/waiter.h"

namespace echo_exporter {
namespace {

class LinuxWaiter final : public Waiter {
 public:
  void WaitUntil(std::optional<SteadyTime> deadline) override {
    const MutexLock lock(mutex_);
    while (!woken_ && !deadline) changed_.Wait(mutex_);
    while (!woken_ && changed_.WaitUntil(mutex_, *deadline)) {
    }
    woken_ = false;
  }

  void Wake() override {
    const MutexLock lock(mutex_);
    woken_ = true;
    changed_.NotifyOne();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool woken_ GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<Waiter> CreateWaiter() {
  return std::make_unique<LinuxWaiter>();
}

}  // namespace echo_exporter
