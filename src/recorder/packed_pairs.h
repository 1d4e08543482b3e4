#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/echo.h"
#include "echo_exporter/ip_address.h"
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
enum class PairNumber : std::uint8_t {
  kRequests,
  kInFlight,
  kOutcomes,  ///< the first of them; the others follow, as those of the next
  kStrayReplies = kOutcomes + kEchoOutcomeCount,
  kFlowRenewals = kStrayReplies + kStrayReplyCount,
  kConsecutiveFailures,
  kOutages,
  kOutageTime,
  kLastRtt,  ///< this one and the following may be absent
  kLastReply,
  kJitter,
  kReplyTtl,
  kUp,
  kUpChanged,
  kResolved,  ///< 0 or 1: see ProbeRecorder::SetRoute(); of names only
  kInterval,
  kEnd
};

/// The source, if it is known, and the destination of a pair's requests.
struct PairAddresses {
  std::optional<IpAddress> source;
  IpAddress destination;
};

/// Copies of pairs for one rendering, which reads them family by family. Most
/// of a pair's numbers are small, and zero: packed they take a sixth, and a
/// family that reads one of them reads memory in its order.
///
/// Confined to one thread.
class PackedPairs {
 public:
  class Pair;

  /// Of histograms, only `parts` are kept: text shows no others.
  explicit PackedPairs(Histogram::Parts parts) : parts_(parts) {}

  /// As those of std::vector; after std::bad_alloc it must not be used.
  void reserve(std::size_t pairs) { labels_.reserve(pairs); }
  void push_back(const PairSnapshot& pair);

  /// Calls `use(pair)`, with a Pair&, for each in that order, as long
  /// as that returns true. `shapes`: those of the pairs.
  template <typename Use>
  void ForEach(const PairShapes& shapes, const Use& use) const;

 private:
  void AppendPart();

  const Histogram::Parts parts_;
  std::vector<std::shared_ptr<const PreparedLabels>> labels_;
  WallTime since_{};                ///< of the first one
  std::deque<std::string> blocks_;  ///< all else, one pair after the other
  std::string packed_;              ///< kept for its memory, as the next
  std::string part_;
};

/// One of them. What is asked for is read.
class PackedPairs::Pair {
 public:
  /// Null: none are written.
  const PreparedLabels* labels() const { return labels_; }
  /// When its statistics began.
  WallTime since() const { return since_; }
  /// `i`: which one, of those of which there are several.
  std::uint64_t Number(PairNumber first, std::size_t i = 0) const;
  /// One of those that may be absent.
  std::optional<std::uint64_t> NumberIfAny(PairNumber number) const;
  const Histogram& Rtt();
  const Histogram& RunLengths();
  /// Absent while there is no route.
  std::optional<PairAddresses> Addresses() const;

 private:
  friend class PackedPairs;

  Pair(const PairShapes& shapes, Histogram::Parts parts)
      : shapes_(shapes),
        parts_(parts),
        rtt_(shapes.rtt, {}),
        runs_(shapes.run_lengths, {}) {}

  /// Becomes the one that is at `at`. Returns where the next one is.
  const char* ReadFrom(const PreparedLabels* labels, WallTime since,
                       const char* at);
  VarintReader AfterNumbers() const;
  VarintReader Histograms() const;

  const PairShapes& shapes_;
  const Histogram::Parts parts_;
  const PreparedLabels* labels_ = nullptr;
  WallTime since_{};
  std::uint32_t present_ = 0;  ///< a bit for each number that is not zero
  const char* numbers_ = nullptr;
  const char* end_ = nullptr;
  Histogram rtt_;
  Histogram runs_;
};

template <typename Use>
void PackedPairs::ForEach(const PairShapes& shapes, const Use& use) const {
  Pair pair(shapes, parts_);
  auto labels = labels_.begin();
  for (const std::string& block : blocks_) {
    const char* at = block.data();
    while (at != block.data() + block.size()) {
      at = pair.ReadFrom((labels++)->get(), since_, at);
      if (!use(pair)) return;
    }
  }
}

}  // namespace echo_exporter
