#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {

/// What the status page says of a pair.
enum class PairState : std::uint8_t {
  kUp,
  kLossy,       ///< loss of ten minutes of HistorySettings::lossy or more
  kDown,        ///< in an outage
  kUnresolved,  ///< without an address, so that nothing is sent
};
inline constexpr std::size_t kPairStateCount = 4;

struct HistorySettings {
  /// Of all pairs together, in bytes; 0: there is no history.
  std::uint64_t memory = 0;
  double lossy = 0.01;  ///< above 0 .. 1
};

/// How far back the history reaches, which depends on the number of pairs.
struct HistoryExtent {
  Nanoseconds fine{};    ///< in cells of PairHistory::kFineStep
  Nanoseconds coarse{};  ///< in cells of PairHistory::kCoarseStep
};

/// The requests of one pair that ended within one step, those of this host
/// (IsOfThisHost()) left out. Times are in seconds; absent without a reply.
struct HistoryCell {
  std::uint32_t sent = 0;
  std::uint32_t lost = 0;
  std::optional<double> min{};
  std::optional<double> median{};
  std::optional<double> p99{};
};

/// The last cell is the one that is still filling.
struct HistorySeries {
  WallTime begin{};  ///< of the first cell
  Nanoseconds step{};
  std::vector<HistoryCell> cells{};
};

struct PairFailure {
  WallTime sent;
  EchoOutcome outcome = EchoOutcome::kOther;
  std::optional<IpAddress> responder{};
};

struct PairOutage {
  WallTime begin{};  ///< the sending of the first lost request
  std::optional<Nanoseconds> length{};        ///< absent: it lasts
  std::uint64_t losses = 0;                   ///< so far as they were known
  EchoOutcome outcome = EchoOutcome::kOther;  ///< of the loss that began it
};

/// Reads all pairs: as ProbeRecorder does.
struct PairReader {
  std::function<std::vector<PairStatus>()> snapshot;
  std::function<std::vector<PairCondition>()> conditions;
};

/// One pair in the list of all.
struct PairView {
  PairStatus status{};
  PairState state = PairState::kUp;
  WallTime since{};  ///< of the state
  /// 0 .. 1, of the last minute, ten minutes and hour; absent when nothing was
  /// sent, or the history is too short.
  std::optional<double> loss_1m{};
  std::optional<double> loss_10m{};
  std::optional<double> loss_1h{};
  /// Of the last 5 to 10 minutes, in seconds; absent without a reply.
  std::optional<double> rtt_median{};
  std::optional<double> rtt_p99{};
  /// The median of the medians of up to a day; absent at first.
  std::optional<double> rtt_usual{};
};

/// The last hour by minutes, the present one last.
using PairHour = std::array<HistoryCell, 60>;

/// The details of one pair.
struct PairRecord {
  HistorySeries fine;
  HistorySeries coarse;
  std::vector<PairOutage> outages;    ///< the newest first
  std::vector<PairFailure> failures;  ///< the newest first
};

/// What happened to each pair lately: loss and RTTs in steps, outages and
/// failures. A pair keeps its history as long as its series do not end.
///
/// A cell has 8 bytes: two counts, and three RTTs of 10 bits each, on a
/// logarithmic scale from 1 us to 67 s. Minimum and quantiles are those of all
/// replies of the step, with an error of at most 1 %; of at most 8 % where the
/// RTTs of one step have more than 64 different values over a large range.
///
/// Where pairs are so many that the memory does not suffice for an hour of fine
/// cells and a day of coarse ones, both become fewer.
///
/// Thread-safe. OnResult() and OnOutcome() note what happened, which is a copy
/// of a few bytes, and leave the computing to the threads that read. Results
/// are those of the step in which they are looked at: at most a second late.
class PairHistory : public PairObserver {
 public:
  static constexpr Nanoseconds kFineStep = std::chrono::seconds(10);
  static constexpr Nanoseconds kCoarseStep = std::chrono::minutes(5);
  static constexpr std::size_t kMostFailures = 50;  ///< of a pair
  static constexpr std::size_t kMostOutages = 20;

  /// `pairs` are read by Look() and by the thread of Start() only. `clock` must
  /// outlive the history.
  static std::unique_ptr<PairHistory> Create(const Clock& clock,
                                             PairReader pairs,
                                             const HistorySettings& settings);

  /// The result of a pair's request, after the recorder has it.
  virtual void OnResult(PairId pair, const EchoResult& result) noexcept = 0;

  virtual void SetSettings(const HistorySettings& settings) noexcept = 0;

  /// Begins to look by itself, on a thread: each second at what was noted, each
  /// kFineStep at the states of pairs. Throws when the system has no thread.
  virtual void Start() = 0;
  /// Ends the thread. May be called more than once.
  virtual void Stop() = 0;

  /// The pairs as they are now, in the order of the snapshot. Forgets those
  /// that the snapshot has not.
  virtual std::vector<PairView> Look() = 0;

  /// In the order of `pairs`; empty ones for those that have no history.
  virtual std::vector<PairHour> LastHours(std::span<const PairId> pairs) = 0;
  /// Absent for a pair that has no history.
  virtual std::optional<PairRecord> RecordOf(PairId pair) = 0;

  virtual HistoryExtent Extent() = 0;
  /// In bytes, about.
  virtual std::uint64_t MemoryInUse() = 0;
};

}  // namespace echo_exporter
