#include "src/base/call_threads.h"

#include <system_error>
#include <thread>
#include <utility>

namespace echo_exporter {

CallThreads::~CallThreads() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
  while (threads_ > 0) changed_.Wait(mutex_);
}

bool CallThreads::Run(std::function<void()> call) {
  const MutexLock lock(mutex_);
  if (idle_ <= calls_.size()) {
    try {
      std::thread([this] { Work(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    ++threads_;  // before the thread's own end, which waits for the mutex
    ++idle_;
  }
  calls_.push_back(std::move(call));
  changed_.NotifyAll();
  return true;
}

void CallThreads::Work() {
  for (auto call = Take(/*after_call=*/false); call;
       call = Take(/*after_call=*/true)) {
    call();
    call = nullptr;  // before the thread counts as idle
  }
}

std::function<void()> CallThreads::Take(bool after_call) {
  const MutexLock lock(mutex_);
  if (after_call) ++idle_;
  while (calls_.empty() && !stopping_ && idle_ <= kept_) {
    changed_.Wait(mutex_);
  }
  --idle_;
  if (calls_.empty()) {
    --threads_;
    changed_.NotifyAll();
    return nullptr;
  }
  std::function<void()> call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

}  // namespace echo_exporter
