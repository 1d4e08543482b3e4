#include "src/recorder/native_buckets.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <new>

namespace echo_exporter {
namespace {

constexpr int kMantissaBits = 52;
constexpr std::uint64_t kMantissaMask = (std::uint64_t{1} << kMantissaBits) - 1;
constexpr int kFinestPerOctave = 1 << NativeBuckets::kFinest;

/// The mantissas of the bounds in (1, 2) of the finest schema, 2^(i/256), as a
/// search tree: node 1 is the one in the middle, and node n has the nodes 2 n
/// and 2 n + 1 below it. The first levels are the bounds of a coarser schema,
/// so that the usual schema 3 needs one line of the processor's cache.
const std::array<std::uint64_t, kFinestPerOctave>& BoundMantissas() {
  static const auto mantissas = [] {
    std::array<std::uint64_t, kFinestPerOctave> all{};
    for (unsigned node = 1; node < kFinestPerOctave; ++node) {
      const unsigned width = std::bit_floor(node);  // of its level
      const double bound =
          std::exp2((2.0 * (node - width) + 1) / (2.0 * width));
      all[node] = std::bit_cast<std::uint64_t>(bound) & kMantissaMask;
    }
    return all;
  }();
  return mantissas;
}

/// The quotient by a power of two, rounded up.
int CeilOfShift(int number, int shift) {
  return (number + (1 << shift) - 1) >> shift;
}

/// The index of the bucket of `value`, a normal number above 0.
int BucketIndex(double value, int schema) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  // value = 2^octave * m, with m in [1, 2) given by the mantissa.
  const int octave = static_cast<int>(bits >> kMantissaBits) - 1023;
  const std::uint64_t mantissa = bits & kMantissaMask;
  if (schema <= 0) {
    return CeilOfShift(octave + (mantissa == 0 ? 0 : 1), -schema);
  }
  const auto& bounds = BoundMantissas();
  unsigned node = 1;
  for (int level = 0; level < schema; ++level) {
    node = 2 * node + (bounds[node] < mantissa ? 1 : 0);
  }
  // The last level counts the bounds below the mantissa, but for 1 itself.
  const int below = static_cast<int>(node) - (1 << schema);
  return octave * (1 << schema) + below + (mantissa == 0 ? 0 : 1);
}

/// The upper bound of a bucket.
double UpperBound(int index, int schema) {
  return std::exp2(std::ldexp(index, -schema));
}

}  // namespace

int NativeBuckets::SchemaOf(double factor) {
  const double schema = -std::floor(std::log2(std::log2(factor)));
  return static_cast<int>(std::clamp<double>(schema, kCoarsest, kFinest));
}

std::vector<std::uint64_t>::iterator NativeBuckets::Find(std::uint64_t bucket) {
  return std::lower_bound(buckets_.begin(), buckets_.end(), bucket);
}

bool NativeBuckets::Add(double value, std::size_t most) noexcept {
  if (value <= zero_threshold_) {
    ++zero_count_;
    return true;
  }
  const std::uint64_t bucket = Bucket(BucketIndex(value, schema_));
  const auto place = Find(bucket);
  if (place != buckets_.end() && (*place & ~kCountMask) == bucket) {
    ++*place;
    return true;
  }
  if (buckets_.size() >= most) return false;
  const auto offset = place - buckets_.begin();
  if (buckets_.size() == buckets_.capacity()) {
    // A few at a time: a vector's own growth would double them.
    constexpr std::size_t kMore = 4;
    try {
      buckets_.reserve(buckets_.size() + kMore);
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  buckets_.insert(buckets_.begin() + offset, bucket + 1);
  return true;
}

bool NativeBuckets::WidenZero(double most) noexcept {
  if (buckets_.empty()) return false;
  const double threshold = UpperBound(IndexOf(buckets_.front()), schema_);
  if (threshold > most) return false;
  zero_threshold_ = threshold;
  zero_count_ += buckets_.front() & kCountMask;
  buckets_.erase(buckets_.begin());
  return true;
}

bool NativeBuckets::Halve() noexcept {
  if (schema_ == kCoarsest) return false;
  --schema_;
  std::size_t kept = 0;
  for (const std::uint64_t bucket : buckets_) {
    const std::uint64_t merged = Bucket(CeilOfShift(IndexOf(bucket), 1));
    if (kept > 0 && (buckets_[kept - 1] & ~kCountMask) == merged) {
      buckets_[kept - 1] += bucket & kCountMask;
    } else {
      buckets_[kept++] = merged | (bucket & kCountMask);
    }
  }
  buckets_.resize(kept);
  return true;
}

void NativeBuckets::AppendTo(std::string* packed) const {
  AppendVarint(static_cast<std::uint64_t>(schema_ - kCoarsest), packed);
  // Short while it is the usual one.
  AppendVarint(std::bit_cast<std::uint64_t>(zero_threshold_) ^
                   std::bit_cast<std::uint64_t>(kZeroThreshold),
               packed);
  AppendVarint(zero_count_, packed);
  AppendVarint(buckets_.size(), packed);
  std::uint64_t before = 0;
  for (const std::uint64_t bucket : buckets_) {
    const std::uint64_t index = bucket >> kIndexShift;
    AppendVarint(index - before, packed);
    AppendVarint(bucket & kCountMask, packed);
    before = index;
  }
}

void NativeBuckets::ReadFrom(VarintReader* packed) {
  schema_ = static_cast<int>(packed->Read()) + kCoarsest;
  zero_threshold_ = std::bit_cast<double>(
      packed->Read() ^ std::bit_cast<std::uint64_t>(kZeroThreshold));
  zero_count_ = packed->Read();
  buckets_.resize(packed->Read());
  std::uint64_t index = 0;
  for (std::uint64_t& bucket : buckets_) {
    index += packed->Read();
    bucket = index << kIndexShift | packed->Read();
  }
}

void NativeBuckets::Reset(int schema) noexcept {
  schema_ = schema;
  zero_threshold_ = kZeroThreshold;
  zero_count_ = 0;
  buckets_.clear();
}

}  // namespace echo_exporter
