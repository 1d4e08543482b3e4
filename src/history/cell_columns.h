#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "src/history/rtt_sketch.h"

namespace echo_exporter {

/// One step of one pair. At 100 requests a second, five minutes are half of
/// what the counts can hold.
struct PackedCell {
  std::uint16_t sent = 0;
  std::uint16_t lost = 0;
  std::uint32_t rtts = 0;  ///< three of RttCode, 10 bits each

  RttCode min() const { return rtts >> 20 & 1023; }
  RttCode median() const { return rtts >> 10 & 1023; }
  RttCode p99() const { return rtts & 1023; }
};
static_assert(sizeof(PackedCell) == 8);

/// What a pair sent and lost.
struct Count {
  std::uint32_t sent = 0;
  std::uint32_t lost = 0;

  Count& operator+=(const Count& other) {
    sent += other.sent;
    lost += other.lost;
    return *this;
  }
};

inline std::optional<double> LossOf(const Count& count) {
  if (count.sent == 0) return std::nullopt;
  return static_cast<double>(count.lost) / count.sent;
}

inline PackedCell Pack(const Count& count, const RttSketch& rtts) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  return {.sent = static_cast<std::uint16_t>(std::min(count.sent, kMost)),
          .lost = static_cast<std::uint16_t>(std::min(count.lost, kMost)),
          .rtts = std::uint32_t{rtts.Quantile(0)} << 20 |
                  std::uint32_t{rtts.Quantile(0.5)} << 10 |
                  rtts.Quantile(0.99)};
}

/// The cells of all pairs: a column for each step, the newest last, in which
/// each pair has a place of its own. So a step that ends writes one piece of
/// memory, and sums over all pairs read one after the other.
///
/// Not thread-safe: the owner locks.
class CellColumns {
 public:
  /// The new column's cells are empty. Throws std::bad_alloc, and has changed
  /// nothing then.
  std::vector<PackedCell>& Push(std::size_t width) {
    return columns_.emplace_back(width);
  }
  void PushEmpty() { columns_.emplace_back(); }
  void Limit(std::size_t columns) {
    while (columns_.size() > columns) columns_.pop_front();
  }
  void Clear(std::size_t place) {
    for (auto& column : columns_) {
      if (place < column.size()) column[place] = {};
    }
  }

  std::size_t size() const { return columns_.size(); }

  /// `age`: 0 is the newest column. An empty cell if there is none.
  PackedCell At(std::size_t age, std::size_t place) const {
    if (age >= columns_.size()) return {};
    const auto& column = columns_[columns_.size() - 1 - age];
    return place < column.size() ? column[place] : PackedCell();
  }

  /// The sums of the newest `columns`, by place, below `width`.
  std::vector<Count> Sum(std::size_t columns, std::size_t width) const {
    std::vector<Count> sums(width);
    const std::size_t taken = std::min(columns, columns_.size());
    for (auto column = columns_.end() - static_cast<std::ptrdiff_t>(taken);
         column != columns_.end(); ++column) {
      for (std::size_t place = 0; place < column->size(); ++place) {
        sums[place] += {(*column)[place].sent, (*column)[place].lost};
      }
    }
    return sums;
  }

  std::size_t bytes() const {
    std::size_t cells = 0;
    for (const auto& column : columns_) cells += column.capacity();
    return cells * sizeof(PackedCell);
  }

 private:
  std::deque<std::vector<PackedCell>> columns_;
};

}  // namespace echo_exporter
