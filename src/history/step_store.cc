#include "src/history/step_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <utility>

namespace echo_exporter {
namespace {

constexpr std::size_t kFinePerMinute = 6;
constexpr std::size_t kFinePerCoarse =
    PairHistory::kCoarseStep / PairHistory::kFineStep;
constexpr std::size_t kMostFine =
    std::chrono::hours(1) / PairHistory::kFineStep;
constexpr std::size_t kMostCoarse =
    std::chrono::hours(24) / PairHistory::kCoarseStep;
// More than an hour, so that its loss is known where cells are few.
constexpr std::size_t kFewCoarse = 13;

HistorySeries Unpack(const CellColumns& columns, const PackedCell& filling,
                     std::size_t place, std::int64_t step, Nanoseconds length) {
  HistorySeries series{.begin = {}, .step = length, .cells = {}};
  const auto unpack = [&series](const PackedCell& cell) {
    series.cells.push_back({cell.sent, cell.lost, SecondsOf(cell.min()),
                            SecondsOf(cell.median()), SecondsOf(cell.p99())});
  };
  for (std::size_t age = columns.size(); age > 0; --age) {
    unpack(columns.At(age - 1, place));
  }
  unpack(filling);
  const auto before = static_cast<std::int64_t>(columns.size());
  series.begin = WallTime(
      std::chrono::duration_cast<WallTime::duration>(length * (step - before)));
  return series;
}

}  // namespace

StepStore::Place StepStore::Take() {
  if (free_.empty()) {
    // So that Release() needs no memory.
    if (free_.capacity() <= filling_.size()) {
      free_.reserve(2 * filling_.size() + 8);
    }
    filling_.emplace_back();
    return places() - 1;
  }
  const Place place = free_.back();
  free_.pop_back();
  return place;
}

void StepStore::Release(Place place) noexcept {
  fine_.Clear(place);
  coarse_.Clear(place);
  filling_[place] = {};
  free_.push_back(place);
}

void StepStore::Limit(std::uint64_t bytes) {
  // What fills the cells comes first: without it there would be none.
  const std::uint64_t others = FillingBytes();
  const std::uint64_t cells = bytes <= others
                                  ? 0
                                  : (bytes - others) / sizeof(PackedCell) /
                                        std::max<std::size_t>(pairs(), 1);
  const auto few = std::min<std::uint64_t>(cells, kFewCoarse);
  most_coarse_ = std::clamp<std::uint64_t>(
      cells * kMostCoarse / (kMostFine + kMostCoarse), few, kMostCoarse);
  most_fine_ = std::min<std::uint64_t>(cells - most_coarse_, kMostFine);
  fine_.Limit(most_fine_);
  coarse_.Limit(most_coarse_);
}

HistoryExtent StepStore::Extent() const {
  return {PairHistory::kFineStep * most_fine_,
          PairHistory::kCoarseStep * most_coarse_};
}

void StepStore::Add(Place place, const std::optional<Nanoseconds>& rtt) {
  Filling& filling = filling_[place];
  filling.fine += {1, rtt ? 0U : 1U};
  if (rtt && most_coarse_ > 0) filling.fine_rtts.Add(RttCodeOf(*rtt));
}

void StepStore::EndSteps(WallTime now) {
  const std::int64_t step = now.time_since_epoch() / kStep;
  // A clock that was set back: what there is counts as of just now.
  step_ = std::min(step_, step);
  // After a pause, such as of a machine that was suspended, no more steps than
  // there can be columns.
  constexpr std::int64_t kMostSteps = (kMostCoarse + 1) * kFinePerCoarse;
  step_ = std::max(step_, step - kMostSteps);
  for (int ended = 0, coarse_ended = 0; step_ < step; ++step_) {
    // All later ones are empty.
    ended++ == 0 ? EndFineStep() : fine_.PushEmpty();
    if ((step_ + 1) % kFinePerCoarse == 0) {
      coarse_ended++ < 2 ? EndCoarseStep() : coarse_.PushEmpty();
    }
    fine_.Limit(most_fine_);
    coarse_.Limit(most_coarse_);
  }
}

void StepStore::EndFineStep() {
  auto& column = fine_.Push(filling_.size());
  for (Place place = 0; place < places(); ++place) {
    Filling& filling = filling_[place];
    column[place] = Pack(filling.fine, filling.fine_rtts);
    filling.coarse += std::exchange(filling.fine, {});
    try {
      filling.coarse_rtts.Add(filling.fine_rtts);
    } catch (const std::bad_alloc&) {
      // Some are missing.
    }
    filling.fine_rtts.Clear();
  }
}

void StepStore::EndCoarseStep() {
  auto& column = coarse_.Push(filling_.size());
  for (Place place = 0; place < places(); ++place) {
    Filling& filling = filling_[place];
    column[place] = Pack(filling.coarse, filling.coarse_rtts);
    filling.coarse = {};
    std::swap(filling.rtts_before, filling.coarse_rtts);
    filling.coarse_rtts.Clear();
    filling.usual = UsualOf(place);
  }
}

RttCode StepStore::UsualOf(Place place) const {
  std::array<RttCode, kMostCoarse + 1> medians{};
  auto end = medians.begin();
  for (std::size_t age = 0; age < coarse_.size(); ++age) {
    const PackedCell cell = coarse_.At(age, place);
    if (cell.median() > 0) *end++ = cell.median();
  }
  const auto middle = medians.begin() + (end - medians.begin()) / 2;
  std::nth_element(medians.begin(), middle, end);
  return *middle;
}

std::vector<Count> StepStore::SumOver(std::size_t fine_cells) const {
  const bool is_fine = most_fine_ >= fine_cells;
  // The last coarse step has just begun, perhaps.
  const std::size_t full =
      is_fine ? fine_cells - 1 : fine_cells / kFinePerCoarse;
  if (!is_fine && (full == 0 || most_coarse_ < full)) return {};
  std::vector<Count> sums =
      (is_fine ? fine_ : coarse_).Sum(full, filling_.size());
  for (Place place = 0; place < places(); ++place) {
    sums[place] += filling_[place].fine;
    if (!is_fine) sums[place] += filling_[place].coarse;
  }
  return sums;
}

RttCode StepStore::RecentQuantile(Place place, double quantile) const {
  const Filling& filling = filling_[place];
  return RttSketch::Quantile(
      {&filling.fine_rtts, &filling.coarse_rtts, &filling.rtts_before},
      quantile);
}

// `age`: 0 is the cell that is filling.
PackedCell StepStore::FineCell(Place place, std::size_t age) const {
  const Filling& filling = filling_[place];
  return age == 0 ? Pack(filling.fine, filling.fine_rtts)
                  : fine_.At(age - 1, place);
}

PackedCell StepStore::FillingCoarseCell(Place place) const {
  const Filling& filling = filling_[place];
  Count count = filling.coarse;
  RttSketch rtts = filling.coarse_rtts;
  rtts.Add(filling.fine_rtts);
  return Pack(count += filling.fine, rtts);
}

PairHour StepStore::HourOf(Place place) const {
  PairHour hour;
  if (most_fine_ == 0) return hour;
  std::size_t age = 0;
  for (auto minute = hour.rbegin(); minute != hour.rend(); ++minute) {
    RttSketch medians;
    for (std::size_t i = 0; i < kFinePerMinute; ++i, ++age) {
      const PackedCell cell = FineCell(place, age);
      minute->sent += cell.sent;
      minute->lost += cell.lost;
      if (cell.median() > 0) {
        medians.Add(cell.median(), std::uint32_t{cell.sent} - cell.lost);
      }
    }
    minute->median = SecondsOf(medians.Quantile(0.5));
  }
  return hour;
}

// Where there are no cells, the one that is filling would be all there is.
HistorySeries StepStore::FineCells(Place place) const {
  if (most_fine_ == 0) return {.step = PairHistory::kFineStep};
  return Unpack(fine_, FineCell(place, 0), place, step_,
                PairHistory::kFineStep);
}

HistorySeries StepStore::CoarseCells(Place place) const {
  if (most_coarse_ == 0) return {.step = PairHistory::kCoarseStep};
  return Unpack(coarse_, FillingCoarseCell(place), place,
                step_ / static_cast<std::int64_t>(kFinePerCoarse),
                PairHistory::kCoarseStep);
}

std::uint64_t StepStore::FillingBytes() const {
  std::uint64_t bytes =
      filling_.size() * sizeof(Filling) + free_.capacity() * sizeof(Place);
  for (const Filling& filling : filling_) {
    for (const RttSketch* const sketch :
         {&filling.fine_rtts, &filling.coarse_rtts, &filling.rtts_before}) {
      bytes += sketch->bytes();
    }
  }
  return bytes;
}

}  // namespace echo_exporter
