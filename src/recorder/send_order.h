#ifndef ECHO_EXPORTER_SRC_RECORDER_SEND_ORDER_H_
#define ECHO_EXPORTER_SRC_RECORDER_SEND_ORDER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_SEND_ORDER_H_
