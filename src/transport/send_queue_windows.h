#ifndef ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_

#include <winsock2.h>
#include <windows.h>

#include <deque>

#include "src/base/mutex.h"

namespace echo_exporter {

/// Windows' own lock, which calls the system only to sleep and to wake.
class CAPABILITY("mutex") SlimLock {
 public:
  void Lock() ACQUIRE() { AcquireSRWLockExclusive(&lock_); }
  void Unlock() RELEASE() { ReleaseSRWLockExclusive(&lock_); }
  void Wait(CONDITION_VARIABLE& condition) REQUIRES(this) {
    SleepConditionVariableSRW(&condition, &lock_, INFINITE, 0);
  }

 private:
  SRWLOCK lock_ = SRWLOCK_INIT;
};

/// Distributes work to threads.
///
/// Thread-safe.
template <typename T>
class SendQueue {
 public:
  void Push(T* item) {
    lock_.Lock();
    items_.push_back(item);
    lock_.Unlock();
    WakeConditionVariable(&changed_);
  }

  /// Waits for an item; null once the queue is closed and empty.
  T* Pop() {
    lock_.Lock();
    while (items_.empty() && !closed_) lock_.Wait(changed_);
    T* item = nullptr;
    if (!items_.empty()) {
      item = items_.front();
      items_.pop_front();
    }
    lock_.Unlock();
    return item;
  }

  void Close() {
    lock_.Lock();
    closed_ = true;
    lock_.Unlock();
    WakeAllConditionVariable(&changed_);
  }

 private:
  SlimLock lock_;
  CONDITION_VARIABLE changed_ = CONDITION_VARIABLE_INIT;
  std::deque<T*> items_ GUARDED_BY(lock_);
  bool closed_ GUARDED_BY(lock_) = false;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_
