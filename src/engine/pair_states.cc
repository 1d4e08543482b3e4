#include "src/engine/pair_states.h"

#include <utility>

namespace echo_exporter {

void PairStates::AddPair(PairId pair,
                         std::shared_ptr<const PairLabels> labels) {
  const MutexLock lock(mutex_);
  pairs_[pair].labels.swap(labels);
}

void PairStates::RemovePair(PairId pair) {
  const MutexLock lock(mutex_);
  pairs_.erase(pair);
}

void PairStates::Record(PairId id, EchoOutcome outcome) {
  if (IsOfThisHost(outcome)) return;
  const MutexLock lock(mutex_);
  const auto found = pairs_.find(id);
  if (found == pairs_.end()) return;
  Pair& pair = found->second;
  pair.losses = IsLoss(outcome) ? pair.losses + 1 : 0;
  const PairOutcome told{
      .pair = id,
      .labels = *pair.labels,
      .outcome = outcome,
      .previous = std::exchange(pair.last, std::optional(outcome)),
      .losses = pair.losses};
  for (PairObserver* const observer : observers_) observer->OnOutcome(told);
}

PairObservation::PairObservation(PairStates& states, PairObserver& observer)
    : states_(states), observer_(observer) {
  const MutexLock lock(states_.mutex_);
  states_.observers_.push_back(&observer_);
}

PairObservation::~PairObservation() {
  const MutexLock lock(states_.mutex_);
  std::erase(states_.observers_, &observer_);
}

}  // namespace echo_exporter
