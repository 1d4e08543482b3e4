#ifndef ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_

#include <winsock2.h>
#include <windows.h>

#include <deque>

namespace echo_exporter {

/// Hands work to threads. On Windows' own lock and condition variable, which
/// enter the system only to sleep and to wake.
///
/// Thread-safe.
template <typename T>
class SendQueue {
 public:
  void Push(T* item) {
    AcquireSRWLockExclusive(&lock_);
    items_.push_back(item);
    ReleaseSRWLockExclusive(&lock_);
    WakeConditionVariable(&changed_);
  }

  /// Waits for an item; null once the queue is closed and empty.
  T* Pop() {
    AcquireSRWLockExclusive(&lock_);
    while (items_.empty() && !closed_) {
      SleepConditionVariableSRW(&changed_, &lock_, INFINITE, 0);
    }
    T* item = nullptr;
    if (!items_.empty()) {
      item = items_.front();
      items_.pop_front();
    }
    ReleaseSRWLockExclusive(&lock_);
    return item;
  }

  void Close() {
    AcquireSRWLockExclusive(&lock_);
    closed_ = true;
    ReleaseSRWLockExclusive(&lock_);
    WakeAllConditionVariable(&changed_);
  }

 private:
  SRWLOCK lock_ = SRWLOCK_INIT;
  CONDITION_VARIABLE changed_ = CONDITION_VARIABLE_INIT;
  std::deque<T*> items_;  // guarded by lock_
  bool closed_ = false;   // guarded by lock_
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_SEND_QUEUE_WINDOWS_H_
