#ifndef ECHO_EXPORTER_SRC_ENGINE_PAIR_SET_H_
#define ECHO_EXPORTER_SRC_ENGINE_PAIR_SET_H_

#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/config.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/probe_recorder.h"
#include "src/engine/dispatcher.h"
#include "src/engine/pair_states.h"

namespace echo_exporter {

/// The pairs that are probed, which one configuration after the other
/// determines. A pair that is in both of two, by the names of its group, source
/// and destination, stays the same: with its number, its counters and what is
/// in flight, and with its place in the schedule if its interval is the same.
/// So does, but for the schedule, one that comes back before its last request
/// has its outcome.
///
/// Confined to one thread at a time.
class PairSet {
 public:
  /// What is given must outlive this.
  PairSet(ProbeRecorder& recorder, PairStates& states, AddressBook& book)
      : recorder_(recorder), states_(states), book_(book) {}

  /// Begins the series of pairs that are new in `config` and watches their
  /// names. What it returns, which is only what differs from the configuration
  /// before, is to be applied by the dispatcher; then, and before the next
  /// call, call Retire().
  DispatchChange Plan(const ExporterConfig& config);

  /// Ends the series of removed pairs, and the watching of what they needed.
  void Retire();

 private:
  /// What the pairs of a group have in common, and their ends.
  struct Group {
    Nanoseconds interval{};
    EchoSettings echo;
    SharedLabels labels;
    std::vector<Endpoint> sources;
    std::vector<Endpoint> destinations;
  };
  /// Without its names, which the recorder knows: there may be a million.
  struct Pair {
    PairId id = 0;
    PairConfig place;
  };
  struct Set {
    std::vector<Group> groups;
    std::vector<Pair> pairs;  ///< by their numbers

    const Pair* Find(PairId id) const;
    DispatchedPair SpecOf(const Pair& pair) const;
  };

  Group WatchGroup(const GroupConfig& config);
  Endpoint Watched(AddressBook::Watch watch);

  ProbeRecorder& recorder_;
  PairStates& states_;
  AddressBook& book_;
  Set current_;
  std::vector<AddressBook::Watch> watches_;
  std::vector<AddressBook::Watch> old_watches_;
  std::vector<PairId> removed_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_PAIR_SET_H_
