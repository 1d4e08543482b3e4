#ifndef ECHO_EXPORTER_SRC_RECORDER_FAILURE_RUNS_H_
#define ECHO_EXPORTER_SRC_RECORDER_FAILURE_RUNS_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {

/// The runs of losses of one pair: successive requests, in the order of
/// sending, that ended as a loss. A reply ends a run; outcomes of this host
/// (IsOfThisHost()) are passed over. A run that has reached `outage_after`
/// losses is an outage, and remains one.
///
/// Not thread-safe: the owner locks.
class FailureRuns {
 public:
  /// To be called for each request in the order of sending, once it has its
  /// outcome. Returns the length of a run that it ends.
  std::optional<std::uint64_t> Record(const SentRequest& request) {
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

  /// Not of this host; absent before the first such outcome.
  std::optional<EchoOutcome> last_outcome() const { return last_outcome_; }

  /// Losses in the run that lasts; 0 without one.
  std::uint64_t length() const { return length_; }
  /// When the first of them was sent.
  SteadyTime begin() const { return begin_; }
  /// Whether that run is an outage.
  bool is_outage() const { return is_outage_; }

  std::uint64_t outages() const { return outages_; }

  /// In outages: from the sending of the first lost request to the sending of
  /// the reply's, or of the last lost one while the outage lasts.
  Nanoseconds outage_time() const { return outage_time_; }

 private:
  std::uint64_t length_ = 0;  ///< of the run that lasts
  bool is_outage_ = false;    ///< that run
  std::optional<EchoOutcome> last_outcome_;
  SteadyTime begin_;
  SteadyTime counted_until_;  ///< of the run's time; at first its begin
  std::uint64_t outages_ = 0;
  Nanoseconds outage_time_{};
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_FAILURE_RUNS_H_
