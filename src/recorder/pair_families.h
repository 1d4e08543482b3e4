#ifndef ECHO_EXPORTER_SRC_RECORDER_PAIR_FAMILIES_H_
#define ECHO_EXPORTER_SRC_RECORDER_PAIR_FAMILIES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "echo_exporter/address_book.h"
#include "echo_exporter/family_writer.h"
#include "src/recorder/pair_stats.h"

namespace echo_exporter {

/// One pair at one moment.
struct PairSnapshot {
  std::shared_ptr<const std::string> labels;  ///< of RenderPairLabels()
  PairStats stats;
  std::optional<Route> route;
};

/// Writes the families of pairs in one format. Separate from FamilyWriter,
/// because there are many pairs: labels and bounds are rendered in advance, and
/// integers and nanoseconds stay exact.
///
/// Used like a FamilyWriter. Confined to one thread.
class PairFamilyWriter {
 public:
  virtual ~PairFamilyWriter() = default;

  virtual void BeginFamily(const Family& family) = 0;
  /// `more`: labels after the pair's.
  virtual void AddNumber(const PairSnapshot& pair,
                         std::span<const LabelView> more,
                         std::uint64_t value) = 0;
  virtual void AddSeconds(const PairSnapshot& pair, Nanoseconds value) = 0;
  /// The round-trip times of the pair.
  virtual void AddRttHistogram(const PairSnapshot& pair) = 0;
  virtual void EndFamily() = 0;

  /// To be called between pairs; may pass on the text written so far. False
  /// when the rest is not needed any more.
  virtual bool Continue() = 0;
};

/// Defines the icmp_echo_* families and the values of a pair that they expose,
/// and writes them: always in the same order, the series in the order of
/// `pairs`. `stray_replies`: whether the transport receives them.
/// `flow_renewals`: whether there can be any.
void WritePairFamilies(std::span<const PairSnapshot> pairs, bool stray_replies,
                       bool flow_renewals, PairFamilyWriter& writer);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_PAIR_FAMILIES_H_
