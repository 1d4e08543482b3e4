#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/echo.h"
#include "echo_exporter/probe_recorder.h"
#include "src/base/varint.h"
#include "src/recorder/histogram.h"
#include "src/recorder/pair_facts.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/prepared_labels.h"

namespace echo_exporter {

/// One pair at one moment.
struct PairSnapshot {
  std::shared_ptr<const PreparedLabels> labels;  ///< null: none are written
  PairStats stats;
  PairFacts facts;
};

/// The numbers of a pair that are exposed, but for its histograms; times in
/// nanoseconds.
struct PairNumbers {
  PairNumbers() = default;
  explicit PairNumbers(const PairStats& stats);

  std::int64_t since = 0;  ///< as WallTime counts
  std::uint64_t requests = 0;
  std::uint64_t in_flight = 0;
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes{};
  std::array<std::uint64_t, kStrayReplyCount> stray_replies{};
  std::uint64_t flow_renewals = 0;
  std::uint64_t consecutive_failures = 0;
  std::uint64_t outages = 0;
  std::uint64_t outage_time = 0;
  std::optional<std::uint64_t> last_rtt;
  std::optional<std::uint64_t> last_reply;
  std::optional<std::uint64_t> jitter;
  std::optional<std::uint64_t> reply_ttl;
  std::optional<std::uint64_t> up;  ///< 0 or 1
  std::optional<std::uint64_t> up_changed;
};

/// Copies of pairs for one rendering, which reads them family by family. Most
/// of a pair's numbers are small, and zero: packed they take a sixth, and a
/// family that reads one of them reads memory in its order.
///
/// Confined to one thread.
class PackedPairs {
 public:
  class Pair;

  /// Makes room for so many. Throws std::bad_alloc.
  void Reserve(std::size_t pairs) { entries_.reserve(pairs); }

  /// Throws std::bad_alloc; it must not be used then.
  void Add(const PairSnapshot& pair);

  /// Calls `use(pair)`, with a Pair&, for each in the order of Add(), as long
  /// as that returns true. `shapes`: those of the pairs.
  template <typename Use>
  void ForEach(const PairShapes& shapes, const Use& use) const;

 private:
  struct Entry {
    std::shared_ptr<const PreparedLabels> labels;
    PairFacts facts;
  };

  std::vector<Entry> entries_;
  std::deque<std::string> blocks_;  ///< the statistics, one after the other
  std::string statistics_;          ///< kept for its memory, as the next
  std::string histogram_;
};

/// One of them. Its histograms are read when they are asked for.
class PackedPairs::Pair {
 public:
  /// Null: none are written.
  const PreparedLabels* labels() const { return entry_->labels.get(); }
  const PairFacts& facts() const { return entry_->facts; }
  const PairNumbers& numbers() const { return numbers_; }
  const Histogram& Rtt();
  const Histogram& RunLengths();

 private:
  friend class PackedPairs;

  explicit Pair(const PairShapes& shapes)
      : shapes_(shapes), rtt_(shapes.rtt, {}), runs_(shapes.run_lengths, {}) {}

  /// Reads the numbers of one from `at`. Returns where the next one is.
  const char* ReadFrom(const Entry& entry, const char* at);

  const PairShapes& shapes_;
  const Entry* entry_ = nullptr;
  PairNumbers numbers_;
  const char* histograms_ = nullptr;
  const char* end_ = nullptr;
  Histogram rtt_;
  Histogram runs_;
};

template <typename Use>
void PackedPairs::ForEach(const PairShapes& shapes, const Use& use) const {
  Pair pair(shapes);
  auto entry = entries_.begin();
  for (const std::string& block : blocks_) {
    const char* at = block.data();
    while (at != block.data() + block.size()) {
      at = pair.ReadFrom(*entry++, at);
      if (!use(pair)) return;
    }
  }
}

}  // namespace echo_exporter
