#include "src/base/call_threads.h"

#include <exception>
#include <new>
#include <utility>

namespace echo_exporter {

CallThreads::~CallThreads() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
  while (!threads_.empty()) changed_.Wait(mutex_);
  JoinEnded();
}

bool CallThreads::Run(std::function<void()> call) {
  const MutexLock lock(mutex_);
  JoinEnded();
  try {
    calls_.push_back(std::move(call));
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (idle_ < calls_.size() && !AddThread()) {
    calls_.pop_back();
    return false;
  }
  changed_.NotifyAll();
  return true;
}

bool CallThreads::AddThread() {
  const std::size_t before = threads_.size();
  try {
    const auto self = threads_.emplace(threads_.end());
    *self = std::thread([this, self] { Work(self); });
  } catch (const std::exception&) {  // std::system_error or std::bad_alloc
    threads_.resize(before);
    return false;
  }
  ++idle_;
  return true;
}

void CallThreads::JoinEnded() {
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
}

void CallThreads::Work(Threads::iterator self) {
  for (auto call = Take(self, /*after_call=*/false); call;
       call = Take(self, /*after_call=*/true)) {
    call();
    call = nullptr;  // before the thread counts as idle
  }
}

std::function<void()> CallThreads::Take(Threads::iterator self,
                                        bool after_call) {
  const MutexLock lock(mutex_);
  if (after_call) ++idle_;
  while (calls_.empty() && !stopping_ && idle_ <= kept_) {
    changed_.Wait(mutex_);
  }
  --idle_;
  if (calls_.empty()) {
    ended_.splice(ended_.end(), threads_, self);
    changed_.NotifyAll();
    return nullptr;
  }
  std::function<void()> call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

}  // namespace echo_exporter
