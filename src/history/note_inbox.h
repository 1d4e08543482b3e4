#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/pair_history.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// What was noted on the way of a probe.
struct Notes {
  struct Ended {
    PairId pair;
    std::uint32_t rtt;  ///< in NoteInbox::kRttUnit, above 0; 0: lost
  };
  std::vector<Ended> results;
  std::vector<std::pair<PairId, PairFailure>> failures;
  std::vector<std::pair<PairId, PairOutage>> outages;

  void Clear() {
    results.clear();
    failures.clear();
    outages.clear();
  }
  std::size_t bytes() const {
    return BytesOf(results) + BytesOf(failures) + BytesOf(outages);
  }

 private:
  template <typename Note>
  static std::size_t BytesOf(const std::vector<Note>& notes) {
    return notes.capacity() * sizeof(Note);
  }
};

/// Takes notes on the way of a probe: a few bytes are copied under a lock that
/// is held for nothing else.
///
/// Thread-safe.
class NoteInbox {
 public:
  static constexpr Nanoseconds kRttUnit{64};

  /// `clock` must outlive this.
  explicit NoteInbox(const Clock& clock) : clock_(clock) {}

  void Add(PairId pair, const EchoResult& result) noexcept;
  void Add(const PairOutcome& outcome) noexcept;

  /// Moves what was noted to `notes`, which are empty and keep their memory.
  void TakeAll(Notes* notes) noexcept {
    const MutexLock lock(mutex_);
    std::swap(*notes, notes_);
  }

 private:
  WallTime WallAt(Nanoseconds ago) const {
    return clock_.WallNow() -
           std::chrono::duration_cast<WallTime::duration>(ago);
  }

  const Clock& clock_;
  Mutex mutex_;
  Notes notes_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
