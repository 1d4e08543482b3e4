#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/pair_history.h"
#include "src/history/cell_columns.h"
#include "src/history/rtt_sketch.h"

namespace echo_exporter {

/// The cells of all pairs, fine and coarse, and what fills the next ones. Each
/// pair has a place, a small number.
///
/// Not thread-safe: the owner locks.
class StepStore {
 public:
  using Place = std::uint32_t;

  explicit StepStore(WallTime now) : step_(now.time_since_epoch() / kStep) {}

  /// Of a pair with an empty history. Throws std::bad_alloc, and has changed
  /// nothing then.
  Place Take();
  void Release(Place place) noexcept;

  /// At most about `bytes` from now on, for the pairs that there are.
  void Limit(std::uint64_t bytes);
  HistoryExtent Extent() const;

  /// One request; `rtt` absent: it was lost. Throws std::bad_alloc, and has
  /// counted the request then.
  void Add(Place place, const std::optional<Nanoseconds>& rtt);
  /// Ends the steps that are over.
  void EndSteps(WallTime now);

  /// By place, of the newest fine cells with the one that is filling; of coarse
  /// ones where there are too few. Empty where there are none.
  std::vector<Count> SumOver(std::size_t fine_cells) const;
  /// Of the last one or two coarse steps.
  RttCode RecentQuantile(Place place, double quantile) const;
  /// The median of all coarse cells' medians.
  RttCode UsualMedian(Place place) const { return filling_[place].usual; }

  PairHour HourOf(Place place) const;
  HistorySeries FineCells(Place place) const;
  HistorySeries CoarseCells(Place place) const;

  std::uint64_t bytes() const {
    return fine_.bytes() + coarse_.bytes() + FillingBytes();
  }

 private:
  struct Filling {
    Count fine{};
    Count coarse{};  ///< of the fine steps that are over, as its RTTs
    RttSketch fine_rtts{};
    RttSketch coarse_rtts{};
    RttSketch rtts_before{};  ///< of the coarse step before
    RttCode usual = 0;
  };

  static constexpr Nanoseconds kStep = PairHistory::kFineStep;

  /// The places that there are, with those that are free.
  Place places() const { return static_cast<Place>(filling_.size()); }
  std::size_t pairs() const { return filling_.size() - free_.size(); }
  std::uint64_t FillingBytes() const;
  void EndFineStep();
  void EndCoarseStep();
  RttCode UsualOf(Place place) const;
  PackedCell FineCell(Place place, std::size_t age) const;
  PackedCell FillingCoarseCell(Place place) const;

  std::deque<Filling> filling_;  ///< by place
  std::vector<Place> free_;
  CellColumns fine_;
  CellColumns coarse_;
  std::size_t most_fine_ = 0;
  std::size_t most_coarse_ = 0;
  std::int64_t step_;  ///< the fine one that is filling, counted from 1970
};

}  // namespace echo_exporter
