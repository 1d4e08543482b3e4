#ifndef ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_
#define ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/log.h"
#include "src/engine/pair_states.h"

namespace echo_exporter {

/// Logs changes of icmp_echo_up: when a pair goes down and when it is up again.
/// It does not log each probe, nor a first result that is a reply. All pairs
/// together get at most kLinesPerSecond lines; further changes are counted, and
/// the count is logged with the first result of a later second.
///
/// Confined to one thread at a time, which PairStates ensures. Lines are
/// written by Log().
class StateLog final : public PairObserver {
 public:
  using Sink = std::function<void(LogLevel, std::string_view,
                                  std::initializer_list<LogField>)>;

  static constexpr int kLinesPerSecond = 10;

  /// `clock` must outlive this.
  explicit StateLog(const Clock& clock, Sink sink = Log)
      : clock_(clock), sink_(std::move(sink)) {}

  void OnOutcome(const PairOutcome& outcome) override;

 private:
  bool TakeLine();
  void WriteLeftOut();

  const Clock& clock_;
  const Sink sink_;
  SteadyTime second_begin_{};
  int lines_in_second_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_
