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

/// The mantissas of the bounds in [1, 2) of the finest schema: 2^(i/256). Those
/// of coarser ones are among them.
const std::array<std::uint64_t, kFinestPerOctave>& BoundMantissas() {
  static const auto mantissas = [] {
    std::array<std::uint64_t, kFinestPerOctave> all{};
    for (int i = 0; i < kFinestPerOctave; ++i) {
      const double bound = std::exp2(static_cast<double>(i) / kFinestPerOctave);
      all[static_cast<std::size_t>(i)] =
          std::bit_cast<std::uint64_t>(bound) & kMantissaMask;
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
  const int stride = NativeBuckets::kFinest - schema;
  // The number of bounds below the mantissa, by halving.
  int below = 0;
  for (int step = (1 << schema) / 2; step > 0; step /= 2) {
    const auto probe = static_cast<std::size_t>(below + step) << stride;
    if (bounds[probe] < mantissa) below += step;
  }
  if (bounds[static_cast<std::size_t>(below) << stride] < mantissa) ++below;
  return octave * (1 << schema) + below;
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

void NativeBuckets::Reset(int schema) noexcept {
  schema_ = schema;
  zero_threshold_ = kZeroThreshold;
  zero_count_ = 0;
  buckets_.clear();
}

}  // namespace echo_exporter
