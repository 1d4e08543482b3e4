#include "echo_exporter/pair_history.h"

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "src/base/id_table.h"
#include "src/base/mutex.h"
#include "src/history/note_inbox.h"
#include "src/history/step_store.h"

namespace echo_exporter {
namespace {

// The part of the memory for failures and outages, and what one of them takes
// in a vector that grows.
constexpr std::uint64_t kNotesPart = 16;
constexpr std::size_t kNoteBytes = sizeof(PairFailure) * 64 / 50;
constexpr std::size_t kMinute = 6;  // in fine cells

/// Removes the oldest, so that at most `most` remain.
template <typename Note>
void KeepNewest(std::size_t most, std::vector<Note>* notes) {
  if (notes->size() <= most) return;
  notes->erase(notes->begin(),
               notes->end() - static_cast<std::ptrdiff_t>(most));
}

std::optional<double> LossAt(const std::vector<Count>& sums,
                             StepStore::Place place) {
  return sums.empty() ? std::nullopt : LossOf(sums[place]);
}

WallTime EndOf(const PairOutage& outage) {
  return outage.begin + std::chrono::duration_cast<WallTime::duration>(
                            outage.length.value_or(Nanoseconds()));
}

class PairHistoryImpl final : public PairHistory {
 public:
  PairHistoryImpl(const Clock& clock, PairReader pairs,
                  const HistorySettings& settings)
      : clock_(clock),
        read_(std::move(pairs)),
        inbox_(clock),
        settings_(settings),
        steps_(clock.WallNow()) {
    LimitMemory();
  }
  ~PairHistoryImpl() override { Stop(); }

  void OnResult(PairId pair, const EchoResult& result) noexcept override {
    inbox_.Add(pair, result);
  }
  void OnOutcome(const PairOutcome& outcome) override { inbox_.Add(outcome); }
  void SetSettings(const HistorySettings& settings) noexcept override {
    const MutexLock lock(mutex_);
    settings_ = settings;
  }
  void Start() override {
    thread_ = std::thread([this] { Run(); });
  }
  void Stop() override;
  std::vector<PairView> Look() override;
  std::vector<PairHour> LastHours(std::span<const PairId> pairs) override;
  std::optional<PairRecord> RecordOf(PairId pair) override;
  HistoryExtent Extent() override {
    const MutexLock lock(mutex_);
    return steps_.Extent();
  }
  std::uint64_t MemoryInUse() override;

 private:
  struct Pair {
    StepStore::Place place = 0;
    std::uint32_t look = 0;  ///< the last one that has seen the pair; 0: none
    PairState state = PairState::kUp;
    WallTime since{};
    std::vector<PairFailure> failures{};  ///< the newest last, as the outages
    std::vector<PairOutage> outages{};
  };

  /// Of a pair in the table, and of what is computed of it in a look.
  static constexpr std::size_t kEntryBytes = sizeof(Pair) + 2 * sizeof(void*) +
                                             sizeof(PairCondition) +
                                             3 * sizeof(Count);

  void Run();
  void Advance() REQUIRES(mutex_);
  void JudgeAll() REQUIRES(mutex_);
  template <typename Seen>
  void KeepOnly(const std::vector<Seen>& pairs) REQUIRES(mutex_);
  Pair& Find(PairId id) REQUIRES(mutex_);
  void Note(PairId id, const PairOutage& outage) REQUIRES(mutex_);
  void ForgetUnseen() REQUIRES(mutex_);
  void LimitMemory() REQUIRES(mutex_);
  std::uint64_t CountNotes() const REQUIRES(mutex_);
  /// Of all but steps, failures and outages.
  std::uint64_t OtherBytes() const REQUIRES(mutex_) {
    // What is noted next has as much memory as what was noted last.
    return pairs_.size() * kEntryBytes + 2 * notes_.bytes();
  }
  void Judge(const PairCondition& condition, std::optional<double> loss_10m,
             Pair* pair) const REQUIRES(mutex_);

  const Clock& clock_;
  const PairReader read_;
  NoteInbox inbox_;

  /// Locked before the inbox's and those of the recorder.
  Mutex mutex_;
  HistorySettings settings_ GUARDED_BY(mutex_);
  Notes notes_ GUARDED_BY(mutex_);  ///< kept for its memory
  IdTable<Pair> pairs_ GUARDED_BY(mutex_);
  StepStore steps_ GUARDED_BY(mutex_);
  std::uint32_t look_ GUARDED_BY(mutex_) = 0;
  /// Of one pair; fewer while very many pairs have failures.
  std::size_t most_failures_ GUARDED_BY(mutex_) = kMostFailures;
  bool stopping_ GUARDED_BY(mutex_) = false;
  CondVar stopped_;
  std::thread thread_;
};

void PairHistoryImpl::Run() {
  SteadyTime next_look{};
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const SteadyTime now = clock_.Now();
    try {
      if (now < next_look) {
        Advance();
      } else {
        next_look = now + kFineStep;
        JudgeAll();
      }
    } catch (const std::bad_alloc&) {
      // Some of what was noted is lost.
    }
    stopped_.WaitUntil(mutex_, now + std::chrono::seconds(1));
  }
}

void PairHistoryImpl::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stopped_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

PairHistoryImpl::Pair& PairHistoryImpl::Find(PairId id) {
  if (Pair* const pair = pairs_.Find(id)) return *pair;
  Pair pair{.place = steps_.Take(), .since = clock_.WallNow()};
  try {
    return pairs_.Insert(id, std::move(pair));
  } catch (const std::bad_alloc&) {
    steps_.Release(pair.place);
    throw;
  }
}

// Ends the steps that are over, and takes what was noted.
void PairHistoryImpl::Advance() {
  steps_.EndSteps(clock_.WallNow());
  notes_.Clear();
  inbox_.TakeAll(&notes_);
  for (const auto& [id, rtt] : notes_.results) {
    std::optional<Nanoseconds> time;
    if (rtt > 0) time = rtt * NoteInbox::kRttUnit;
    steps_.Add(Find(id).place, time);
  }
  for (const auto& [id, failure] : notes_.failures) {
    auto& failures = Find(id).failures;
    failures.push_back(failure);
    KeepNewest(most_failures_, &failures);
  }
  for (const auto& [id, outage] : notes_.outages) Note(id, outage);
}

void PairHistoryImpl::Note(PairId id, const PairOutage& outage) {
  auto& outages = Find(id).outages;
  if (outage.length && !outages.empty() && !outages.back().length) {
    // Its begin and its outcome are known better already.
    outages.back().length = outage.length;
    outages.back().losses = outage.losses;
    return;
  }
  outages.push_back(outage);
  KeepNewest(kMostOutages, &outages);
}

void PairHistoryImpl::ForgetUnseen() {
  std::vector<std::pair<PairId, StepStore::Place>> gone;
  pairs_.ForEach([&gone, look = look_](PairId id, const Pair& pair) {
    if (pair.look != look) gone.emplace_back(id, pair.place);
  });
  for (const auto& [id, place] : gone) {
    steps_.Release(place);
    pairs_.Erase(id);
  }
}

// Failures of all pairs together get no more than their part of the memory:
// what is over is removed from the pairs that have most.
void PairHistoryImpl::LimitMemory() {
  const std::uint64_t part = settings_.memory / kNotesPart;
  const std::uint64_t others = part + OtherBytes();
  steps_.Limit(settings_.memory - std::min(settings_.memory, others));
  const std::uint64_t most = part / kNoteBytes;
  if (CountNotes() < most / 4) most_failures_ = kMostFailures;
  while (CountNotes() > most && most_failures_ > 0) {
    most_failures_ /= 2;
    pairs_.ForEach([most_notes = most_failures_](PairId, Pair& pair) {
      KeepNewest(most_notes, &pair.failures);
      pair.failures.shrink_to_fit();
      // The last one says since when the pair is in its state.
      KeepNewest(most_notes / 2 + 1, &pair.outages);
      pair.outages.shrink_to_fit();
    });
  }
}

std::uint64_t PairHistoryImpl::CountNotes() const {
  std::uint64_t notes = 0;
  pairs_.ForEach([&](PairId, const Pair& pair) {
    notes += pair.failures.size() + pair.outages.size();
  });
  return notes;
}

// Forgets all other pairs. To be called with pairs that were read after the
// notes were taken, so that each pair of which there are some is among them, if
// it has not ended.
template <typename Seen>
void PairHistoryImpl::KeepOnly(const std::vector<Seen>& pairs) {
  ++look_;
  for (const Seen& pair : pairs) Find(pair.id).look = look_;
  ForgetUnseen();
  LimitMemory();
}

void PairHistoryImpl::JudgeAll() {
  Advance();
  const std::vector<PairCondition> conditions = read_.conditions();
  KeepOnly(conditions);
  const auto sums = steps_.SumOver(10 * kMinute);
  for (const PairCondition& condition : conditions) {
    Pair& pair = Find(condition.id);
    Judge(condition, LossAt(sums, pair.place), &pair);
  }
}

std::vector<PairView> PairHistoryImpl::Look() {
  const MutexLock lock(mutex_);
  Advance();
  std::vector<PairStatus> pairs = read_.snapshot();
  KeepOnly(pairs);
  const auto minute = steps_.SumOver(kMinute);
  const auto ten_minutes = steps_.SumOver(10 * kMinute);
  const auto hour = steps_.SumOver(60 * kMinute);
  std::vector<PairView> views;
  views.reserve(pairs.size());
  for (PairStatus& status : pairs) {
    Pair& pair = Find(status.id);
    const auto loss_10m = LossAt(ten_minutes, pair.place);
    Judge({status.id, status.statistics.in_outage, status.unresolved}, loss_10m,
          &pair);
    views.push_back(
        {.status = std::move(status),
         .state = pair.state,
         .since = pair.since,
         .loss_1m = LossAt(minute, pair.place),
         .loss_10m = loss_10m,
         .loss_1h = LossAt(hour, pair.place),
         .rtt_median = SecondsOf(steps_.RecentQuantile(pair.place, 0.5)),
         .rtt_p99 = SecondsOf(steps_.RecentQuantile(pair.place, 0.99)),
         .rtt_usual = SecondsOf(steps_.UsualMedian(pair.place))});
  }
  return views;
}

void PairHistoryImpl::Judge(const PairCondition& condition,
                            std::optional<double> loss_10m, Pair* pair) const {
  const PairState state = condition.unresolved          ? PairState::kUnresolved
                          : condition.in_outage         ? PairState::kDown
                          : loss_10m >= settings_.lossy ? PairState::kLossy
                                                        : PairState::kUp;
  const PairState before = std::exchange(pair->state, state);
  if (state != before) pair->since = clock_.WallNow();
  // Outages know it better than this look, which may have missed one.
  if (pair->outages.empty() || state == PairState::kUnresolved) return;
  const PairOutage& last = pair->outages.back();
  if (state == PairState::kDown) {
    if (!last.length) pair->since = last.begin;
  } else if (last.length &&
             (before == PairState::kDown || EndOf(last) > pair->since)) {
    pair->since = EndOf(last);
  }
}

std::vector<PairHour> PairHistoryImpl::LastHours(
    std::span<const PairId> pairs) {
  std::vector<PairHour> hours(pairs.size());
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair* const pair = pairs_.Find(pairs[i]);
    if (pair != nullptr) hours[i] = steps_.HourOf(pair->place);
  }
  return hours;
}

std::optional<PairRecord> PairHistoryImpl::RecordOf(PairId id) {
  const MutexLock lock(mutex_);
  Advance();
  const Pair* const found = pairs_.Find(id);
  if (found == nullptr) return std::nullopt;
  const Pair& pair = *found;
  return PairRecord{.fine = steps_.FineCells(pair.place),
                    .coarse = steps_.CoarseCells(pair.place),
                    .outages = {pair.outages.rbegin(), pair.outages.rend()},
                    .failures = {pair.failures.rbegin(), pair.failures.rend()}};
}

std::uint64_t PairHistoryImpl::MemoryInUse() {
  const MutexLock lock(mutex_);
  std::uint64_t bytes = steps_.bytes() + OtherBytes();
  pairs_.ForEach([&](PairId, const Pair& pair) {
    bytes += pair.failures.capacity() * sizeof(PairFailure) +
             pair.outages.capacity() * sizeof(PairOutage);
  });
  return bytes;
}

}  // namespace

std::unique_ptr<PairHistory> PairHistory::Create(
    const Clock& clock, PairReader pairs, const HistorySettings& settings) {
  return std::make_unique<PairHistoryImpl>(clock, std::move(pairs), settings);
}

}  // namespace echo_exporter
