#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/probe_recorder.h"
#include "src/base/log.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Logs the outages that icmp_echo_outages_total counts: when one begins, with
/// the last of its first outage_after losses, and when the pair is up again.
/// All pairs together get at most kLinesPerSecond lines; further changes are
/// counted, and the count is logged with the first result of a later second.
///
/// Thread-safe. Lines are written by Log().
class StateLog final : public PairObserver {
 public:
  using Sink = std::function<void(LogLevel, std::string_view,
                                  std::initializer_list<LogField>)>;

  static constexpr int kLinesPerSecond = 10;

  /// `clock` must outlive this.
  explicit StateLog(const Clock& clock, Sink sink = Log)
      : clock_(clock), sink_(std::move(sink)) {}

  void OnOutcome(const PairOutcome& outcome) override;
  bool wants_every_outcome() const override { return left_out_ > 0; }

 private:
  void Write(const PairOutcome& outcome) REQUIRES(mutex_);
  bool TakeLine() REQUIRES(mutex_);
  void WriteLeftOut() REQUIRES(mutex_);

  const Clock& clock_;
  const Sink sink_;

  /// Changed with the mutex held.
  std::atomic<std::uint64_t> left_out_{0};
  Mutex mutex_;
  SteadyTime second_begin_ GUARDED_BY(mutex_){};
  int lines_in_second_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
