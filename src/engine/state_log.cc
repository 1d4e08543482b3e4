#include "src/engine/state_log.h"

#include <new>
#include <string>

namespace echo_exporter {

void StateLog::OnOutcome(const PairOutcome& outcome) {
  const MutexLock lock(mutex_);
  try {
    Write(outcome);
  } catch (const std::bad_alloc&) {
    ++left_out_;
  }
}

void StateLog::Write(const PairOutcome& outcome) {
  if (left_out_ > 0) WriteLeftOut();
  const bool up = outcome.is_up();
  if (up == outcome.was_up()) return;
  if (!TakeLine()) {
    ++left_out_;
    return;
  }
  const PairLabels& labels = outcome.labels;
  sink_(up ? LogLevel::kInfo : LogLevel::kWarn,
        up ? "pair is up again" : "pair is down",
        {{"group", labels.group},
         {"source", labels.source},
         {"destination", labels.destination},
         {"outcome", std::string(EchoOutcomeName(outcome.outcome))},
         {"previous",
          std::string(outcome.previous ? EchoOutcomeName(*outcome.previous)
                                       : "none")}});
}

bool StateLog::TakeLine() {
  const SteadyTime now = clock_.Now();
  if (now - second_begin_ >= std::chrono::seconds(1)) {
    second_begin_ = now;
    lines_in_second_ = 0;
  }
  if (lines_in_second_ == kLinesPerSecond) return false;
  ++lines_in_second_;
  return true;
}

void StateLog::WriteLeftOut() {
  if (!TakeLine()) return;
  sink_(LogLevel::kWarn, "pair state changes suppressed by the log rate limit",
        {{"changes", std::to_string(left_out_)}});
  left_out_ = 0;
}

}  // namespace echo_exporter
