#include "src/engine/state_log.h"

#include <utility>

namespace echo_exporter {
namespace {

bool IsUp(std::optional<EchoOutcome> outcome) {
  return outcome == EchoOutcome::kReply;
}

}  // namespace

void StateLog::AddPair(PairId pair, std::string group, std::string source,
                       std::string destination) {
  const MutexLock lock(mutex_);
  pairs_[pair] = {std::move(group), std::move(source), std::move(destination),
                  std::nullopt};
}

void StateLog::RemovePair(PairId pair) {
  const MutexLock lock(mutex_);
  pairs_.erase(pair);
}

void StateLog::Record(PairId id, EchoOutcome outcome) {
  // Held while a line is handed over, which waits for nothing: the lines of a
  // pair come in order.
  const MutexLock lock(mutex_);
  if (left_out_ > 0) WriteLeftOut();
  const auto found = pairs_.find(id);
  if (found == pairs_.end()) return;
  Pair& pair = found->second;
  const std::optional<EchoOutcome> previous =
      std::exchange(pair.last, std::optional(outcome));
  const bool up = IsUp(outcome);
  if (previous ? IsUp(previous) == up : up) return;
  if (!TakeLine()) {
    ++left_out_;
    return;
  }
  sink_(up ? LogLevel::kInfo : LogLevel::kWarn,
        up ? "pair is up again" : "pair is down",
        {{"group", pair.group},
         {"source", pair.source},
         {"destination", pair.destination},
         {"outcome", std::string(EchoOutcomeName(outcome))},
         {"previous",
          std::string(previous ? EchoOutcomeName(*previous) : "none")}});
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
  sink_(LogLevel::kWarn, "changes of pairs not logged, there were too many",
        {{"changes", std::to_string(left_out_)}});
  left_out_ = 0;
}

}  // namespace echo_exporter
