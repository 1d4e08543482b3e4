#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {

struct SentRequest {
  SteadyTime sent;
  std::uint16_t outage_after = 0;      ///< as in GroupConfig
  std::optional<EchoOutcome> outcome;  ///< absent: in flight
};

/// Puts the outcomes of one pair's requests, which come in any order, into the
/// order of sending: each is passed on when those of all earlier requests have
/// come. So it holds what was sent from the oldest request in flight on, never
/// more than is sent in one timeout. A single request, as is usual, needs no
/// memory but the object's own.
///
/// Not thread-safe: the owner locks.
class SendOrder {
 public:
  /// `first`: the number of the first request, below kRequestNumbers.
  explicit SendOrder(std::uint32_t first = 0) : first_(first) {}

  /// A request is about to be sent. Returns its number. Throws std::bad_alloc,
  /// and has changed nothing then.
  std::uint32_t Begin(SteadyTime sent, std::uint16_t outage_after) {
    if (holds_oldest_) {
      later_.push_back({sent, outage_after, std::nullopt});
      return NumberAt(later_.size());
    }
    oldest_.sent = sent;
    oldest_.outage_after = outage_after;
    oldest_.outcome.reset();
    holds_oldest_ = true;
    return first_;
  }

  /// Requires the number of a request without an outcome. Calls
  /// `judge(request)` for those that are ready, in the order of sending.
  template <typename Judge>
  void End(std::uint32_t number, EchoOutcome outcome, const Judge& judge) {
    const std::uint32_t index = (number - first_) % kRequestNumbers;
    if (index > 0) {
      later_[index - 1].outcome = outcome;
      return;
    }
    oldest_.outcome = outcome;
    judge(oldest_);
    if (later_.capacity() == 0) {  // as is usual
      first_ = NumberAt(1);
      holds_oldest_ = false;
      return;
    }
    const auto next = std::find_if(
        later_.begin(), later_.end(),
        [](const SentRequest& request) { return !request.outcome; });
    std::for_each(later_.begin(), next, judge);
    first_ = NumberAt(1 + static_cast<std::size_t>(next - later_.begin()));
    holds_oldest_ = next != later_.end();
    if (holds_oldest_) {
      oldest_ = *next;
      later_.erase(later_.begin(), next + 1);
    } else {
      std::vector<SentRequest>().swap(later_);
    }
  }

 private:
  std::uint32_t NumberAt(std::size_t index) const {
    return (first_ + static_cast<std::uint32_t>(index)) % kRequestNumbers;
  }

  std::uint32_t first_;  ///< of `oldest_`, or of the next request
  bool holds_oldest_ = false;
  SentRequest oldest_;  ///< in flight, if there is one
  std::vector<SentRequest> later_;
};

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
