#ifndef ECHO_EXPORTER_SRC_BASE_CALL_THREADS_H_
#define ECHO_EXPORTER_SRC_BASE_CALL_THREADS_H_

#include <cstddef>
#include <deque>
#include <functional>

#include "src/base/mutex.h"

namespace echo_exporter {

/// Threads for calls of the system that may block for any time and cannot be
/// cancelled. A thread is made when no idle one is left; the caller bounds how
/// many calls there are.
///
/// Thread-safe.
class CallThreads {
 public:
  /// Keeps up to `kept` idle threads.
  explicit CallThreads(std::size_t kept) : kept_(kept) {}
  /// Waits for the calls in progress.
  ~CallThreads();
  CallThreads(const CallThreads&) = delete;
  CallThreads& operator=(const CallThreads&) = delete;

  /// Runs `call` on a thread at once. False when no thread can be made: then it
  /// does not run.
  [[nodiscard]] bool Run(std::function<void()> call);

 private:
  void Work();
  /// The next call for a thread; empty: the thread ends.
  std::function<void()> Take(bool after_call);

  const std::size_t kept_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::deque<std::function<void()>> calls_ GUARDED_BY(mutex_);  ///< to begin
  std::size_t threads_ GUARDED_BY(mutex_) = 0;
  std::size_t idle_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_CALL_THREADS_H_
