#ifndef ECHO_EXPORTER_SRC_TRANSPORT_LINKED_QUEUE_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_LINKED_QUEUE_H_

#include <cstddef>
#include <utility>

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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_LINKED_QUEUE_H_
