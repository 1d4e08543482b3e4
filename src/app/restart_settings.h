#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "src/base/condition_log.h"

namespace echo_exporter {

/// Copies the settings that a running exporter cannot change from `now` to
/// `next`, and adds a note for each that differs.
void KeepUntilRestart(const ExporterConfig& now, ExporterConfig* next,
                      std::vector<std::string>* notes);

/// The most requests in flight at once. Without a number in the file, there is
/// room for twice as many pairs as there are at the start where discovery or
/// continuous modules may bring more, and for many in any case.
std::size_t MaxInFlight(const ExporterConfig& effective, bool discovers);

/// Logs when that, which cannot change any more, is too little.
///
/// Thread-safe.
class RoomLog {
 public:
  /// `most`: requests that may be in flight at once.
  void Look(const ExporterConfig& effective, std::size_t most);

 private:
  ConditionLog crowded_{{.begins = "engine.max_in_flight is too small for the "
                                   "pairs that discovery has found",
                         .ends = "engine.max_in_flight is large enough again",
                         .subject = "max_in_flight",
                         .reason = "needed"}};
};

/// Whether `next` has no pair and no list that may bring one, but what is in
/// effect has.
bool LosesAllPairs(const ExporterConfig& effective, const ExporterConfig& next);

}  // namespace echo_exporter
