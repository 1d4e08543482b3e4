#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/pair_history.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// "up", "lossy", "down" or "unresolved".
std::string_view NameOf(PairState state);

/// Of a pair's labels: "address", or empty.
std::string_view AddressLabelOf(const PairLabels& labels);

/// What a request asks for; empty texts: all pairs.
struct PairQuery {
  std::string group;
  std::string source;
  std::string destination;
  std::string address;  ///< the label of that name
  std::string text;     ///< a part of a name, address or label, in any case
  std::array<bool, kPairStateCount> states{true, true, true, true};
  /// What to sort by: see kColumns in the source.
  std::size_t column = 0;
  bool is_reversed = false;
  std::size_t limit = 200;
  std::size_t after = 0;  ///< so many pairs are left out
  bool by_group = false;  ///< rows of a matrix, instead of by destination

  bool Matches(const PairView& pair) const;
};

/// The error is a sentence for the client. `is_strict`: a parameter or value
/// that is unknown is an error; else it is ignored. Never throws, whatever the
/// input. Pure.
Result<PairQuery> ParsePairQuery(std::string_view query, std::size_t limit,
                                 bool is_strict);

/// What one cause would explain.
struct Verdict {
  enum class Kind : std::uint8_t { kSource, kDestination, kGroup };
  Kind kind = Kind::kSource;
  std::string name;
  std::string text;  ///< "Every pair from source wan2 fails"
  WallTime since;    ///< all of them fail
  std::size_t pairs = 0;
};

using StateCounts = std::array<std::size_t, kPairStateCount>;

struct GroupCounts {
  std::string name;
  StateCounts counts{};
};

/// All pairs as of one moment.
struct PairList {
  WallTime time;
  std::vector<PairView> pairs;
  StateCounts counts{};
  std::vector<GroupCounts> groups{};
  std::vector<Verdict> verdicts{};  ///< of most pairs first
};

/// By the state, then loss, then since.
bool IsWorse(const PairView& a, const PairView& b);

PairList MakePairList(std::vector<PairView> pairs, WallTime time);

/// Those of `list` that match `query`, in its order; `limit` and `after` are
/// left to the caller. They point into `list`.
std::vector<const PairView*> Select(const PairList& list,
                                    const PairQuery& query);

}  // namespace echo_exporter
