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

/// Writes the families of pairs in one format. Beside FamilyWriter, because
/// pairs are many: their labels and bounds are text already, and whole numbers
/// and nanoseconds stay exact.
///
/// Used as a FamilyWriter is. Confined to one thread.
class PairFamilyWriter {
 public:
  virtual ~PairFamilyWriter() = default;

  virtual void BeginFamily(const Family& family) = 0;
  /// `more`: labels behind the pair's.
  virtual void AddNumber(const PairSnapshot& pair,
                         std::span<const LabelView> more,
                         std::uint64_t value) = 0;
  virtual void AddSeconds(const PairSnapshot& pair, Nanoseconds value) = 0;
  /// The round-trip times of the pair.
  virtual void AddRttHistogram(const PairSnapshot& pair) = 0;
  virtual void EndFamily() = 0;

  /// To be called between pairs, when it may hand on what is written. False:
  /// nobody wants the rest.
  virtual bool Continue() = 0;
};

/// Says which the icmp_echo_* families are, and of which values of a pair.
/// Always in the same order, the series in the order of `pairs`.
/// `stray_replies`: whether those are seen.
void WritePairFamilies(std::span<const PairSnapshot> pairs, bool stray_replies,
                       PairFamilyWriter& writer);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_PAIR_FAMILIES_H_
