#ifndef ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_
#define ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/probe_recorder.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/piece_writer.h"

namespace echo_exporter {

/// One pair at one moment.
struct PairSnapshot {
  std::shared_ptr<const std::string> labels;  ///< of RenderPairLabels()
  PairStats stats;
  std::optional<Route> route;
};

/// The labels of a pair as they stand in every line of its series, without
/// braces. Values are escaped, and bytes that are not UTF-8 become U+FFFD, so
/// that no name can break the format.
std::string RenderPairLabels(const PairLabels& labels);

/// Writes the icmp_echo_* families in the Prometheus text format 0.0.4.
///
/// Not prometheus-cpp's Registry and TextSerializer, because pairs are many:
/// for 2,000 of them with 20 buckets each, tests/bench/render_bench.cc measures
/// 143 ms and 6.7 kB a pair there against 4 ms and 0.6 kB here, and 120 ms
/// against 10 ms under Wine (g++ 12 -O2, two cores).
///
/// Immutable after construction.
class PairExposition {
 public:
  /// The bounds given to RttBuckets; whether stray replies are exposed.
  PairExposition(const std::vector<double>& rtt_buckets, bool stray_replies);

  /// Writes each family that has a series, always in the same order, the
  /// series in the order of `pairs`.
  void Write(std::span<const PairSnapshot> pairs, PieceWriter& writer) const;

 private:
  void AppendRttHistogram(const PairSnapshot& pair, std::string* out) const;

  const bool stray_replies_;
  std::vector<std::string> le_labels_;  ///< one per bucket, as `,le="0.1"`
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_
