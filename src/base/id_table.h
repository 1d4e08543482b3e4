#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace echo_exporter {

/// Values by numbers that are given out one after the other and never reused,
/// such as PairId. When there are many, finding one reads cold memory in two
/// places, the second of which is the value itself; a hash table does in up to
/// four. Beside the values it takes 8 bytes for each number within kPage of one
/// in use, and up to two bytes for eight numbers that were ever in use. Values
/// stay where they are.
///
/// Not thread-safe: the owner locks.
template <typename Value>
class IdTable {
 public:
  /// Null if there is none.
  Value* Find(std::uint32_t id) const {
    const std::size_t page = id / kPage;
    if (page >= pages_.size() || !pages_[page]) return nullptr;
    return pages_[page]->values[id % kPage].get();
  }

  /// Requires that there is one.
  Value& At(std::uint32_t id) const {
    return *pages_[id / kPage]->values[id % kPage];
  }

  /// Requires that there is none. Throws std::bad_alloc, and has no value of
  /// that number then.
  Value& Insert(std::uint32_t id, Value value) {
    auto owned = std::make_unique<Value>(std::move(value));
    const std::size_t number = id / kPage;
    if (number >= pages_.size()) pages_.resize(number + 1);
    std::unique_ptr<Page>& page = pages_[number];
    if (!page) page = std::make_unique<Page>();
    ++page->used;
    ++size_;
    auto& place = page->values[id % kPage];
    place = std::move(owned);
    return *place;
  }

  /// Does nothing if there is none.
  void Erase(std::uint32_t id) noexcept {
    if (Find(id) == nullptr) return;
    std::unique_ptr<Page>& page = pages_[id / kPage];
    page->values[id % kPage].reset();
    --size_;
    if (--page->used == 0) page.reset();
  }

  std::size_t size() const { return size_; }

  /// Calls `use(id, value)` for each, by ascending id. It must not change the
  /// table.
  template <typename Use>
  void ForEach(const Use& use) const {
    for (std::size_t page = 0; page < pages_.size(); ++page) {
      if (!pages_[page]) continue;
      for (std::size_t i = 0; i < kPage; ++i) {
        Value* const value = pages_[page]->values[i].get();
        if (value != nullptr) {
          use(static_cast<std::uint32_t>(page * kPage + i), *value);
        }
      }
    }
  }

 private:
  static constexpr std::size_t kPage = 64;
  struct Page {
    std::array<std::unique_ptr<Value>, kPage> values;
    std::size_t used = 0;
  };

  std::vector<std::unique_ptr<Page>> pages_;
  std::size_t size_ = 0;
};

}  // namespace echo_exporter
