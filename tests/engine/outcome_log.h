#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Remembers what it is told of.
///
/// Thread-safe.
class OutcomeLog final : public PairObserver {
 public:
  void OnOutcome(const PairOutcome& outcome) override {
    const MutexLock lock(mutex_);
    std::string line = outcome.labels.destination + " ";
    line += outcome.previous ? EchoOutcomeName(*outcome.previous) : "none";
    line += " ";
    line += EchoOutcomeName(outcome.outcome);
    if (outcome.is_outage != outcome.was_outage) {
      line += ", " + std::to_string(outcome.losses) + " lost: ";
      line += outcome.is_outage ? "outage" : "its end";
    }
    lines_.push_back(line);
  }

  bool wants_every_outcome() const override { return wants_every_outcome_; }
  void WantEveryOutcome(bool want) { wants_every_outcome_ = want; }

  /// "destination previous outcome" each, and what it begins or ends.
  std::vector<std::string> lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  std::atomic<bool> wants_every_outcome_{false};
  mutable Mutex mutex_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
