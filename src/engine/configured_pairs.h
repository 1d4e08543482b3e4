#ifndef ECHO_EXPORTER_SRC_ENGINE_CONFIGURED_PAIRS_H_
#define ECHO_EXPORTER_SRC_ENGINE_CONFIGURED_PAIRS_H_

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/config.h"
#include "echo_exporter/probe_recorder.h"
#include "src/engine/dispatcher.h"
#include "src/engine/state_log.h"

namespace echo_exporter {

/// Turns one configuration's pairs into another's. A pair that is in both, by
/// the names of its group, source and destination, stays the same: with its
/// number, its counters and what is in flight, and with its place in the
/// schedule if its interval is the same. So does, but for the schedule, one
/// that comes back before its last request has its outcome.
///
/// Confined to one thread at a time.
class ConfiguredPairs {
 public:
  /// What is given must outlive this.
  ConfiguredPairs(ProbeRecorder& recorder, StateLog& state_log,
                  AddressBook& book)
      : recorder_(recorder), state_log_(state_log), book_(book) {}

  /// Begins the series of new pairs and watches their names. What it returns
  /// is to be applied by the dispatcher; then, and before the next call, call
  /// Settle().
  DispatchChange MoveTo(const ExporterConfig& config);

  /// Ends the series of removed pairs, and the watching of what they needed.
  void Settle();

 private:
  struct Known {
    PairId id = 0;
    Nanoseconds interval{};
    bool wanted = true;  ///< by the configuration being moved to
  };
  /// The two ends of a group's pairs, by their index in it.
  struct Endpoints {
    std::vector<Endpoint> sources;
    std::vector<Endpoint> destinations;
  };

  Endpoints WatchGroup(const GroupConfig& group);
  Endpoint Watched(AddressBook::Watch watch);
  PairId AddPair(const std::string& names, const PairLabels& labels);
  Known& Know(const GroupConfig& group, const std::string& source,
              const std::string& destination, bool* is_new);

  ProbeRecorder& recorder_;
  StateLog& state_log_;
  AddressBook& book_;
  PairId next_id_ = 0;
  std::unordered_map<std::string, Known> known_;     ///< by the names
  std::unordered_map<std::string, PairId> leaving_;  ///< removed, by the names
  std::map<std::string, Labels> labels_;             ///< by the group's name
  std::vector<AddressBook::Watch> watches_;
  std::vector<AddressBook::Watch> old_watches_;
  std::vector<PairId> removed_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_CONFIGURED_PAIRS_H_
