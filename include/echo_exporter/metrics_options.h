#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "echo_exporter/metrics_format.h"
#include "echo_exporter/pair_families.h"

namespace echo_exporter {

/// How histograms are counted.
struct HistogramOptions {
  /// Upper bounds of the classic buckets of round-trip times: seconds,
  /// ascending; a value equal to a bound belongs to that bound's bucket. Empty:
  /// they have none.
  std::vector<double> rtt_buckets;
  /// Of native histograms: the factor from a bucket's bound to the next, at
  /// most, 1.01 .. 2. Absent: there are none.
  std::optional<double> native_factor = 1.1;
  /// The most native buckets of a series, 10 .. 1000.
  std::uint32_t native_max_buckets = 160;
};

/// What of the metrics a client wants, and how.
struct MetricsQuery {
  MetricsFormat format = MetricsFormat::kText;
  bool pairs = true;     ///< the families of pairs
  bool exporter = true;  ///< those of the exporter itself
  /// Pairs of these groups only; absent: of all.
  std::optional<std::set<std::string>> groups = std::nullopt;
  PairFamilySet omit = {};  ///< without these
};

}  // namespace echo_exporter
