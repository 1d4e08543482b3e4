#pragma once

#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {

/// Tells two observers, which must outlive it.
///
/// Thread-safe.
class BothObservers final : public PairObserver {
 public:
  BothObservers(PairObserver& first, PairObserver& second)
      : first_(first), second_(second) {}

  void OnOutcome(const PairOutcome& outcome) override {
    first_.OnOutcome(outcome);
    second_.OnOutcome(outcome);
  }
  bool wants_every_outcome() const override {
    return first_.wants_every_outcome() || second_.wants_every_outcome();
  }

 private:
  PairObserver& first_;
  PairObserver& second_;
};

}  // namespace echo_exporter
