#include "src/engine/state_log.h"

#include <new>
#include <string>

#include "src/base/duration.h"

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
  if (outcome.is_outage == outcome.was_outage) return;
  if (!TakeLine()) {
    ++left_out_;
    return;
  }
  const PairLabels& labels = outcome.labels;
  const bool down = outcome.is_outage;
  // Of the last loss, and thus the reason.
  const EchoOutcome loss =
      down ? outcome.outcome : outcome.previous.value_or(outcome.outcome);
  const auto lasted =
      std::chrono::round<std::chrono::milliseconds>(outcome.lasted);
  sink_(down ? LogLevel::kWarn : LogLevel::kInfo,
        down ? "pair is down" : "pair is up again",
        {{labels.of_module ? "module" : "group", labels.group},
         {"source", labels.source},
         {labels.of_module ? "target" : "destination", labels.destination},
         {labels.address.empty() ? "" : "address", labels.address},
         {"outcome", std::string(EchoOutcomeName(loss))},
         {"losses", std::to_string(outcome.losses)},
         {"lasted", FormatDuration(lasted)}});
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
