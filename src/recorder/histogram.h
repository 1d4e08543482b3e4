#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/family_writer.h"
#include "echo_exporter/metrics_options.h"
#include "src/base/varint.h"
#include "src/recorder/native_buckets.h"

namespace echo_exporter {

/// What happens when there would be too many native buckets, as in Prometheus's
/// own client library: the first of these that is allowed; else each two
/// neighbours become one.
struct NativeLimits {
  /// They begin again when they are at least so old; zero: never. They do so,
  /// too, as soon as they may after one of the others.
  Nanoseconds reset_after{};
  /// The zero bucket takes in the smallest one, up to this.
  double max_zero_threshold = 0;
};

/// What all histograms of a family have in common. They count whole units, such
/// as nanoseconds, and expose a larger one, such as seconds.
///
/// Immutable after construction.
class HistogramShape {
 public:
  /// `bounds`: of the classic buckets, ascending; each is rounded to whole
  /// units. `units`: in one of what is exposed.
  HistogramShape(std::vector<double> bounds, double units,
                 const HistogramOptions& options, const NativeLimits& limits);

  /// A shape of times in seconds, counted in nanoseconds. No network replies in
  /// a microsecond.
  static HistogramShape OfTimes(std::vector<double> bounds,
                                const HistogramOptions& options) {
    return {std::move(bounds), 1e9, options, {std::chrono::hours(1), 0x1p-20}};
  }

  const std::vector<double>& bounds() const { return bounds_; }
  /// The first bucket whose bound is not below `amount`.
  std::size_t IndexOf(std::uint64_t amount) const;

  double units() const { return units_; }
  bool has_native() const { return max_buckets_ > 0; }
  int schema() const { return schema_; }
  std::size_t max_buckets() const { return max_buckets_; }  ///< 0: no native
  const NativeLimits& limits() const { return limits_; }

 private:
  const std::vector<double> bounds_;
  std::vector<std::uint64_t> bounds_in_units_;
  const double units_;
  const int schema_;
  const std::size_t max_buckets_;
  const NativeLimits limits_;
};

/// The observations of one series. A copy is a consistent view.
///
/// Not thread-safe: the owner locks.
class Histogram {
 public:
  Histogram(const HistogramShape& shape, WallTime since)
      : counts_(shape.bounds().size() + 1),
        native_(shape.schema()),
        since_(since) {}

  /// `shape` must be that of the constructor. `clock` is asked only when native
  /// buckets may begin again.
  void Observe(std::uint64_t amount, const HistogramShape& shape,
               const Clock& clock) noexcept;

  /// By classic bucket, not cumulative.
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  /// In units; wraps beyond 64 bits.
  std::uint64_t sum() const { return sum_; }
  /// Since when the native buckets count.
  WallTime since() const { return since_; }
  const NativeBuckets& native() const { return native_; }

  /// As exposed; it and `shape` must outlive the result. `sum`: as counted.
  HistogramValue Value(const HistogramShape& shape,
                       const SampleValue& sum) const;

  /// What of it is packed.
  enum class Parts : std::uint8_t { kAll, kClassic };
  /// Appends it; see PackedPairs.
  void AppendTo(std::string* packed, Parts parts) const;
  /// Becomes what was appended there, of the same shape; what is no part of
  /// that stays as it is.
  void ReadFrom(VarintReader* packed, Parts parts);

  /// So that assigning another one of that shape allocates nothing.
  void ReserveAll(const HistogramShape& shape);

 private:
  void ObserveNative(double value, const HistogramShape& shape,
                     const Clock& clock) noexcept;
  bool BeginAgain(const HistogramShape& shape, const Clock& clock) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t sum_ = 0;
  NativeBuckets native_;
  WallTime since_;
  // `counts_` at that time and, last, `sum_`; empty unless the native buckets
  // have begun again.
  std::vector<std::uint64_t> before_;
};

}  // namespace echo_exporter
