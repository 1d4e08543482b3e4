#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/varint.h"

namespace echo_exporter {

/// The buckets of a native histogram of values that are not negative
/// (https://prometheus.io/docs/specs/native_histograms/): bucket i of schema s
/// ends with (2^(2^-s))^i, which belongs to it. Only buckets with a count take
/// memory, 8 bytes each.
///
/// Not thread-safe: the owner locks.
class NativeBuckets {
 public:
  /// The schemas with the largest and with the smallest buckets.
  static constexpr int kCoarsest = -4;
  static constexpr int kFinest = 8;
  /// What it can always hold, without further memory: more than there are
  /// buckets of schema kCoarsest from 1 ns to 292 years.
  static constexpr std::size_t kAlways = 8;

  /// The coarsest schema with at most `factor`, above 1, from a bound to the
  /// next.
  static int SchemaOf(double factor);

  explicit NativeBuckets(int schema) : schema_(schema) {
    buckets_.reserve(kAlways);
  }

  /// Counts `value`, at least 0. False, and nothing is changed, when that needs
  /// one more than `most` buckets, or more memory than there is.
  bool Add(double value, std::size_t most) noexcept;

  /// Makes the smallest bucket a part of the zero bucket, unless this then ends
  /// above `most`: false, and nothing is changed.
  bool WidenZero(double most) noexcept;
  /// Makes each two neighbours one; false with the coarsest schema.
  bool Halve() noexcept;

  /// Forgets all counts. Keeps its memory.
  void Reset(int schema) noexcept;

  int schema() const { return schema_; }
  /// Values up to this are in the zero bucket.
  double zero_threshold() const { return zero_threshold_; }
  std::uint64_t zero_count() const { return zero_count_; }
  /// Without the zero bucket.
  std::size_t size() const { return buckets_.size(); }
  bool widened() const { return zero_threshold_ > kZeroThreshold; }

  /// Calls `use(index, count)` for each bucket, by ascending index.
  template <typename Use>
  void ForEach(const Use& use) const {
    for (const std::uint64_t bucket : buckets_) {
      use(IndexOf(bucket), bucket & kCountMask);
    }
  }

  /// Appends all of it; see PackedPairs.
  void AppendTo(std::string* packed) const;
  /// Becomes what was appended there.
  void ReadFrom(VarintReader* packed);

  /// So that assigning one with up to `most` buckets allocates nothing.
  void Reserve(std::size_t most) { buckets_.reserve(most); }

 private:
  static constexpr double kZeroThreshold = 0x1p-128;

  // A bucket is one number, so that it is small and quick to find: the index
  // from the bit kIndexShift on, plus kIndexOffset, and below it the count,
  // which at 100 a second is full after 89,000 years.
  static constexpr int kIndexShift = 48;
  static constexpr int kIndexOffset = 1 << 15;
  static constexpr std::uint64_t kCountMask =
      (std::uint64_t{1} << kIndexShift) - 1;

  static int IndexOf(std::uint64_t bucket) {
    return static_cast<int>(bucket >> kIndexShift) - kIndexOffset;
  }
  /// A bucket without a count.
  static std::uint64_t Bucket(int index) {
    return static_cast<std::uint64_t>(index + kIndexOffset) << kIndexShift;
  }
  std::vector<std::uint64_t>::iterator Find(std::uint64_t bucket);

  std::vector<std::uint64_t> buckets_;  ///< ascending
  double zero_threshold_ = kZeroThreshold;
  std::uint64_t zero_count_ = 0;
  int schema_;
};

}  // namespace echo_exporter
