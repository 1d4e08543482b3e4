#include "src/recorder/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <span>
#include <utility>

namespace echo_exporter {
namespace {

std::uint64_t RoundToUnits(double amount) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  // Beyond it, where the result of llround() is undefined.
  return static_cast<std::uint64_t>(amount >= 0x1p63 ? kMost
                                                     : std::llround(amount));
}

}  // namespace

HistogramShape::HistogramShape(std::vector<double> bounds, double units,
                               const HistogramOptions& options,
                               const NativeLimits& limits)
    : bounds_(std::move(bounds)),
      units_(units),
      schema_(NativeBuckets::SchemaOf(options.native_factor.value_or(2))),
      max_buckets_(options.native_factor
                       ? std::max<std::size_t>(options.native_max_buckets,
                                               NativeBuckets::kAlways)
                       : 0),
      limits_(limits) {
  bounds_in_units_.reserve(bounds_.size());
  for (const double bound : bounds_) {
    bounds_in_units_.push_back(RoundToUnits(bound * units));
  }
}

std::size_t HistogramShape::IndexOf(std::uint64_t amount) const {
  const auto bound = std::lower_bound(bounds_in_units_.begin(),
                                      bounds_in_units_.end(), amount);
  return static_cast<std::size_t>(bound - bounds_in_units_.begin());
}

void Histogram::Observe(std::uint64_t amount, const HistogramShape& shape,
                        const Clock& clock) noexcept {
  if (shape.has_native()) {
    // A division, because its result is exact where one exists: 0.5 s must not
    // be above the bound 0.5.
    ObserveNative(static_cast<double>(amount) / shape.units(), shape, clock);
  }
  ++counts_[shape.IndexOf(amount)];
  sum_ += amount;
}

// Before the classic buckets count the value: what they have then comes before
// the native ones if these begin again.
void Histogram::ObserveNative(double value, const HistogramShape& shape,
                              const Clock& clock) noexcept {
  const bool degraded = native_.widened() || native_.schema() < shape.schema();
  if (degraded) BeginAgain(shape, clock);
  const std::size_t most = shape.max_buckets();
  while (!native_.Add(value, most)) {
    // At the coarsest schema, all values fit.
    if (!BeginAgain(shape, clock) &&
        !native_.WidenZero(shape.limits().max_zero_threshold)) {
      native_.Halve();
    }
  }
}

/// False when it is too early.
bool Histogram::BeginAgain(const HistogramShape& shape,
                           const Clock& clock) noexcept {
  const Nanoseconds after = shape.limits().reset_after;
  if (after == Nanoseconds::zero()) return false;
  const WallTime now = clock.WallNow();
  if (now - since_ < after) return false;
  try {
    before_.reserve(counts_.size() + 1);
  } catch (const std::bad_alloc&) {
    return false;
  }
  before_ = counts_;
  before_.push_back(sum_);
  since_ = now;
  native_.Reset(shape.schema());
  return true;
}

HistogramValue Histogram::Value(const HistogramShape& shape,
                                const SampleValue& sum) const {
  HistogramValue value{.bounds = shape.bounds(),
                       .counts = counts_,
                       .sum = sum,
                       .native = shape.has_native() ? &native_ : nullptr};
  if (!before_.empty()) {
    value.counts_before = std::span(before_).first(counts_.size());
    value.sum_before = static_cast<double>(before_.back()) / shape.units();
  }
  return value;
}

void Histogram::AppendTo(std::string* packed, Parts parts) const {
  for (const std::uint64_t count : counts_) AppendVarint(count, packed);
  AppendVarint(sum_, packed);
  if (parts == Parts::kClassic) return;
  AppendVarint(static_cast<std::uint64_t>(since_.time_since_epoch().count()),
               packed);
  AppendVarint(before_.size(), packed);
  for (const std::uint64_t number : before_) AppendVarint(number, packed);
  native_.AppendTo(packed);
}

void Histogram::ReadFrom(VarintReader* packed, Parts parts) {
  for (std::uint64_t& count : counts_) count = packed->Read();
  sum_ = packed->Read();
  if (parts == Parts::kClassic) return;
  since_ =
      WallTime(WallTime::duration(static_cast<std::int64_t>(packed->Read())));
  before_.resize(packed->Read());
  for (std::uint64_t& number : before_) number = packed->Read();
  native_.ReadFrom(packed);
}

void Histogram::ReserveAll(const HistogramShape& shape) {
  native_.Reserve(shape.max_buckets());
  before_.reserve(counts_.size() + 1);
}

}  // namespace echo_exporter
