#ifndef ECHO_EXPORTER_SRC_ENGINE_PAIR_STATES_H_
#define ECHO_EXPORTER_SRC_ENGINE_PAIR_STATES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "echo_exporter/echo.h"
#include "echo_exporter/pair.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// One outcome of a pair, with the previous one. Outcomes of this host
/// (IsOfThisHost()) are none here: they leave the state of a pair as it was.
struct PairOutcome {
  PairId pair = 0;
  const PairLabels& labels;
  EchoOutcome outcome = EchoOutcome::kOther;
  std::optional<EchoOutcome> previous;  ///< absent: this is the first
  std::uint32_t losses = 0;             ///< since the last reply

  /// The value of icmp_echo_up.
  bool is_up() const { return outcome == EchoOutcome::kReply; }
  /// Before the first outcome, a pair counts as up.
  bool was_up() const { return !previous || *previous == EchoOutcome::kReply; }
};

/// Receives the outcomes of every pair, except those of this host: those of one
/// pair in order, and never two at once. It must be short, must not block, and
/// must not call PairStates.
class PairObserver {
 public:
  virtual ~PairObserver() = default;
  virtual void OnOutcome(const PairOutcome& outcome) = 0;
};

/// Keeps the state of each pair, up or down, and notifies observers.
///
/// Thread-safe.
class PairStates {
 public:
  /// Adds a pair; of one that was added already, only the labels change.
  /// `labels` is never null.
  void AddPair(PairId pair, std::shared_ptr<const PairLabels> labels);
  void RemovePair(PairId pair);

  /// Records an outcome of a pair; ignored for an unknown pair, and when it is
  /// of this host.
  void Record(PairId pair, EchoOutcome outcome);

 private:
  friend class PairObservation;
  struct Pair {
    std::shared_ptr<const PairLabels> labels;
    std::optional<EchoOutcome> last;
    std::uint32_t losses = 0;
  };

  /// Held while observers are called, to keep the order.
  Mutex mutex_;
  std::unordered_map<PairId, Pair> pairs_ GUARDED_BY(mutex_);
  std::vector<PairObserver*> observers_ GUARDED_BY(mutex_);
};

/// Registers an observer until destroyed; no call is in progress afterwards.
///
/// Immutable after construction.
class PairObservation {
 public:
  /// Both must outlive this.
  PairObservation(PairStates& states, PairObserver& observer);
  ~PairObservation();
  PairObservation(const PairObservation&) = delete;
  PairObservation& operator=(const PairObservation&) = delete;

 private:
  PairStates& states_;
  PairObserver& observer_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_PAIR_STATES_H_
