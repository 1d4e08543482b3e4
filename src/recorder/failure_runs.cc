#include "src/recorder/failure_runs.h"

#include <utility>

namespace echo_exporter {

std::optional<std::uint64_t> FailureRuns::Record(const SentRequest& request) {
  if (IsOfThisHost(*request.outcome)) return std::nullopt;
  last_outcome_ = request.outcome;
  const bool is_loss = IsLoss(*request.outcome);
  if (is_loss && length_++ == 0) begin_ = counted_until_ = request.sent;
  if (length_ == 0) return std::nullopt;
  if (is_loss && !is_outage_ && length_ >= request.outage_after) {
    is_outage_ = true;
    ++outages_;
  }
  if (is_outage_) {
    outage_time_ += request.sent - counted_until_;
    counted_until_ = request.sent;
  }
  if (is_loss) return std::nullopt;
  is_outage_ = false;
  return std::exchange(length_, 0);
}

}  // namespace echo_exporter
