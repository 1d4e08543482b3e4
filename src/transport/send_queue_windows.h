#pragma once

#include <winsock2.h>
#include <windows.h>

#include <cstddef>
#include <utility>

#include "src/base/mutex.h"

namespace echo_exporter {

/// First in, first out, linked by the items' own `next`, so that nothing needs
/// memory. An item is in one queue at a time.
///
/// Not thread-safe: the owner locks.
template <typename T>
class LinkedQueue {
 public:
  void Push(T* item) {
    item->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = item;
    last_ = item;
    ++size_;
  }

  /// Null when it is empty.
  T* front() const { return first_; }

  /// The same; removes the item.
  T* Pop() {
    T* const item = first_;
    if (item != nullptr) {
      first_ = std::exchange(item->next, nullptr);
      --size_;
    }
    return item;
  }

  std::size_t size() const { return size_; }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;  ///< valid unless it is empty
  std::size_t size_ = 0;
};

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

/// Distributes work to threads; needs no memory to do so.
///
/// Thread-safe.
template <typename T>
class SendQueue {
 public:
  void Push(T* item) {
    lock_.Lock();
    items_.Push(item);
    lock_.Unlock();
    WakeConditionVariable(&changed_);
  }

  /// Waits for an item; null once the queue is closed and empty.
  T* Pop() {
    lock_.Lock();
    while (items_.front() == nullptr && !closed_) lock_.Wait(changed_);
    T* const item = items_.Pop();
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
  LinkedQueue<T> items_ GUARDED_BY(lock_);
  bool closed_ GUARDED_BY(lock_) = false;
};

}  // namespace echo_exporter
