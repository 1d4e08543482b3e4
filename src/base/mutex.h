#pragma once

#include <condition_variable>
#include <mutex>

// clang's -Wthread-safety needs annotated locks; for other compilers the
// annotations are empty.
#if defined(__clang__)
#define ECHO_EXPORTER_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define ECHO_EXPORTER_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) ECHO_EXPORTER_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY ECHO_EXPORTER_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) ECHO_EXPORTER_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) \
  ECHO_EXPORTER_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) \
  ECHO_EXPORTER_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) \
  ECHO_EXPORTER_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace echo_exporter {

/// std::mutex, visible to the thread-safety analysis.
class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Waits with a Mutex held by the caller. Write the condition as a loop around
/// the wait: the analysis does not support predicates.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) { condition_.wait(mutex); }
  /// False when `deadline` passed first.
  template <typename TimePoint>
  bool WaitUntil(Mutex& mutex, TimePoint deadline) REQUIRES(mutex) {
    return condition_.wait_until(mutex, deadline) == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace echo_exporter
