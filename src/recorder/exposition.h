#ifndef ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_
#define ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_

#include <span>
#include <string>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "src/recorder/pair_families.h"
#include "src/recorder/piece_writer.h"

namespace echo_exporter {

/// The labels of a pair as in each line of its series, escaped, without braces.
std::string RenderPairLabels(const PairLabels& labels);

/// Writes the icmp_echo_* families in the Prometheus text format 0.0.4.
///
/// Not prometheus-cpp's Registry and TextSerializer, because pairs are many:
/// for 2,000 of them with 20 buckets each, tests/bench/render_bench.cc measures
/// 143 ms and 6.7 kB per pair for those, 4 ms and 0.6 kB for this; under Wine
/// 120 ms and 10 ms (g++ 12 -O2, two cores).
///
/// Immutable after construction.
class PairExposition {
 public:
  /// `rtt_buckets`: the bounds of RttBuckets. `stray_replies`: whether they are
  /// exposed; `flow_renewals` likewise.
  PairExposition(const std::vector<double>& rtt_buckets, bool stray_replies,
                 bool flow_renewals);

  /// Writes each family that has a series.
  void Write(std::span<const PairSnapshot> pairs, PieceWriter& writer) const;

 private:
  const bool stray_replies_;
  const bool flow_renewals_;
  /// One per bucket, the text before the value, as in `,le="0.1"} `.
  std::vector<std::string> bound_labels_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_EXPOSITION_H_
