#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <thread>

#include "src/base/mutex.h"

namespace echo_exporter {

/// Threads for calls of the system that may block for any time and cannot be
/// cancelled. A thread is made when no idle one is left; the caller bounds how
/// many calls there are.
///
/// Every thread is joined, never detached: one that is still ending while the
/// process ends crashes in the runtime of mingw-w64.
///
/// Thread-safe.
class CallThreads {
 public:
  /// Keeps up to `kept` idle threads.
  explicit CallThreads(std::size_t kept) : kept_(kept) {}
  /// Waits for the calls in progress and the end of their threads.
  ~CallThreads();
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;

  /// Runs `call`, which must not throw, on a thread at once. False without the
  /// memory or the thread for it: then it does not run.
  [[nodiscard]] bool Run(std::function<void()> call);

 private:
  using Threads = std::list<std::thread>;

  bool AddThread() REQUIRES(mutex_);
  void JoinEnded() REQUIRES(mutex_);
  void Work(Threads::iterator self);
  /// The next call for the thread `self`; empty: it ends.
  std::function<void()> Take(Threads::iterator self, bool after_call);

  const std::size_t kept_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::deque<std::function<void()>> calls_ GUARDED_BY(mutex_);  ///< to begin
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
  Threads threads_ GUARDED_BY(mutex_);
  Threads ended_ GUARDED_BY(mutex_);  ///< use nothing of this any more
};

}  // namespace echo_exporter
