#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/config.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/probe_recorder.h"
#include "src/engine/dispatcher.h"
#include "src/engine/endpoint.h"

namespace echo_exporter {

/// The pairs that are probed, according to the current configuration. A pair
/// that is in both the previous and the new configuration, by its identity (see
/// PairLabels), keeps its number, its counters and its
/// requests in flight, and its place in the schedule if its interval is the
/// same. A removed pair that is added again before its last request has its
/// outcome keeps them too, except for its place in the schedule.
///
/// Confined to one thread at a time.
class PairSet {
 public:
  /// The arguments must outlive this.
  PairSet(ProbeRecorder& recorder, AddressBook& book)
      : recorder_(recorder), book_(book) {}

  /// Begins the series of pairs that are new in `config` and watches their
  /// names. Returns the differences from the current configuration, which the
  /// dispatcher must apply; after that, and before the next call, call
  /// Commit(), or Abandon() if it could not. Throws, and has changed nothing
  /// then.
  DispatchChange Plan(const ExporterConfig& config);

  /// The planned configuration is the current one: ends the series of removed
  /// pairs, and the watches that they needed.
  void Commit() noexcept;

  /// Undoes Plan().
  void Abandon() noexcept;

 private:
  /// The settings that the pairs of a group share, and their ends.
  struct Group {
    Nanoseconds interval{};
    SharedLabels labels;
    std::vector<std::shared_ptr<const PairSettings>> settings;  ///< by source
    std::vector<Endpoint> destinations;
    /// Of each destination with those of the group; empty where no destination
    /// has any of its own.
    std::vector<SharedLabels> destination_labels;

    const SharedLabels& LabelsOf(const PairConfig& place) const {
      return destination_labels.empty() ? labels
                                        : destination_labels[place.destination];
    }
  };
  /// Without the pair's names, which the recorder has: there may be a million
  /// pairs.
  struct Pair {
    PairId id = 0;
    PairConfig place;
  };
  struct Set {
    std::vector<Group> groups;
    std::vector<Pair> pairs;  ///< by their numbers

    const Pair* Find(PairId id) const;
    DispatchedPair SpecOf(const Pair& pair) const;
    PairTraits TraitsOf(const Pair& pair) const;
  };

  /// What Commit() changes to.
  struct Next {
    Set set;
    std::vector<AddressBook::Watch> watches;
    std::vector<PairId> added;  ///< not in the current set
    std::vector<PairId> removed;
    std::vector<std::pair<PairId, std::shared_ptr<const PreparedLabels>>>
        relabelled;
    std::vector<std::pair<PairId, PairTraits>> described;
  };

  DispatchChange PlanNext(const ExporterConfig& config);
  void PlanPair(const ExporterConfig& config, const PairConfig& place,
                DispatchChange* change);
  Group WatchGroup(const GroupConfig& config);
  static void MergeLabels(const GroupConfig& config, Group* group);
  Endpoint Noted(const WatchedEndpoint& end);

  ProbeRecorder& recorder_;
  AddressBook& book_;
  Set current_;
  std::vector<AddressBook::Watch> watches_;
  Next next_;
};

}  // namespace echo_exporter
