#include "src/transport/request_matcher.h"

#include <algorithm>
#include <chrono>

namespace echo_exporter {
namespace {

using State = RequestRecord::State;

// Compares a destination, which has no zone if the source or the system chose
// it, with the address that the system reported, which has one.
bool IsSameHost(const IpAddress& destination, const IpAddress& seen) {
  return destination.version() == seen.version() &&
         destination.bytes() == seen.bytes() && ZonesAgree(destination, seen);
}

// Whether the sending thread was held up, as when the process is stopped: the
// request left late, so that nothing is known of what the network did in time.
bool WasSentLate(const RequestRecord& record) {
  constexpr Nanoseconds kHeldUp = std::chrono::milliseconds(100);
  const Nanoseconds took = record.send_took();
  return took < Nanoseconds::zero() || took > kHeldUp;
}

EchoOutcome WithoutReply(const RequestRecord& record) {
  return WasSentLate(record) ? EchoOutcome::kNoResources
                             : EchoOutcome::kTimeout;
}

// The times of a result; neither is ever negative.
EchoResult ResultOf(const RequestRecord& record, const Arrival& arrival,
                    SteadyTime now) {
  EchoResult result;
  result.rtt = std::max(arrival.time - record.sent(), Nanoseconds::zero());
  result.completion_delay = std::max(now - arrival.time, Nanoseconds::zero());
  return result;
}

}  // namespace

bool RequestMatcher::EndUnsent(RequestRecord& record) {
  if (record.state != State::kInFlight) return false;
  table_.End(record, State::kFailed);
  return true;
}

void RequestMatcher::Classify(const Arrival& arrival, SteadyTime now) {
  if (arrival.error) {
    ClassifyError(arrival, now);
  } else {
    ClassifyReply(arrival, now);
  }
}

void RequestMatcher::ClassifyReply(const Arrival& reply, SteadyTime now) {
  const EchoMessage& message = reply.message;
  RequestRecord* const record =
      table_.Find(message.sequence, [&](const RequestRecord& candidate) {
        // A payload too short for a cookie is weak evidence by itself.
        return candidate.identifier == message.id &&
               (candidate.payload_size >= kCookieSize ||
                IsSameHost(candidate.destination, reply.peer)) &&
               IsPayloadOf(candidate.cookie, candidate.payload_size,
                           message.payload);
      });
  if (record == nullptr) {
    ClassifyForeign(reply);
    return;
  }
  if (record->state != State::kInFlight) {
    verdicts_.strays.emplace_back(record->tag, record->state == State::kAnswered
                                                   ? StrayReply::kDuplicate
                                                   : StrayReply::kLate);
    return;
  }
  if (record->has_error && ErrorCameFirst(*record, reply.time)) {
    verdicts_.strays.emplace_back(record->tag, StrayReply::kLate);
    return;
  }
  EchoResult result = ResultOf(*record, reply, now);
  result.responder = reply.peer;
  result.reply_ttl = reply.ttl;
  if (result.rtt > record->timeout && !WasSuspended(*record)) {
    verdicts_.strays.emplace_back(record->tag, StrayReply::kLate);
    result.outcome = WithoutReply(*record);
    End(*record, State::kTimedOut, result);
    return;
  }
  result.outcome = IsSameHost(record->destination, reply.peer)
                       ? EchoOutcome::kReply
                       : EchoOutcome::kCorruptReply;
  End(*record, State::kAnswered, result);
}

void RequestMatcher::ClassifyForeign(const Arrival& reply) {
  ++verdicts_.foreign_replies;
  RequestRecord* const damaged =
      table_.Find(reply.message.sequence, [&](const RequestRecord& candidate) {
        return candidate.state == State::kInFlight &&
               candidate.identifier == reply.message.id &&
               IsSameHost(candidate.destination, reply.peer);
      });
  if (damaged != nullptr) damaged->corrupted = true;
}

void RequestMatcher::ClassifyError(const Arrival& arrival, SteadyTime now) {
  const EchoMessage& quoted = arrival.message;
  RequestRecord* const record =
      table_.Find(quoted.sequence, [&](const RequestRecord& candidate) {
        return candidate.state == State::kInFlight &&
               candidate.identifier == quoted.id &&
               IsSameHost(candidate.destination, arrival.peer) &&
               MayBeginPayloadOf(candidate.cookie, candidate.payload_size,
                                 quoted.payload);
      });
  if (record == nullptr || record->has_error || !arrival.error->outcome) return;
  EchoResult result = ResultOf(*record, arrival, now);
  if (result.rtt > record->timeout) return;
  result.outcome = *arrival.error->outcome;
  result.responder = arrival.error->offender;
  result.os_code = arrival.error->os_code;
  result.mtu = arrival.error->mtu;
  record->has_error = true;
  errors_.push_back({.record = record,
                     .number = record->number,
                     .time = arrival.time,
                     .result = result});
}

bool RequestMatcher::ErrorCameFirst(const RequestRecord& record,
                                    SteadyTime reply) const {
  return std::ranges::any_of(errors_, [&](const PendingError& error) {
    return error.number == record.number && error.time < reply;
  });
}

void RequestMatcher::EndByErrors(SteadyTime horizon) {
  std::erase_if(errors_, [&](const PendingError& error) {
    if (error.time > horizon) return false;
    RequestRecord& record = *error.record;
    if (record.number == error.number && record.state == State::kInFlight) {
      End(record, State::kFailed, error.result);
    }
    return true;
  });
}

void RequestMatcher::Expire(SteadyTime horizon) {
  EndByErrors(horizon);
  while (RequestRecord* const record = table_.FindExpired(horizon)) {
    EchoResult result;
    result.outcome =
        record->corrupted ? EchoOutcome::kCorruptReply : WithoutReply(*record);
    result.rtt = std::max(horizon - record->sent(), Nanoseconds::zero());
    End(*record, State::kTimedOut, result);
  }
}

void RequestMatcher::Abandon() {
  EndByErrors(SteadyTime::max());
  table_.EndAll(State::kTimedOut, [this](const RequestRecord& record) {
    EchoResult result;
    result.tag = record.tag;
    result.outcome =
        WasSuspended(record) ? EchoOutcome::kSuspended : EchoOutcome::kTimeout;
    verdicts_.results.push_back(result);
  });
}

bool RequestMatcher::WasSuspended(const RequestRecord& record) const {
  return suspended_ - record.suspended > kShortestSuspension;
}

void RequestMatcher::End(RequestRecord& record, State state,
                         EchoResult result) {
  result.tag = record.tag;
  if (WasSuspended(record)) {
    result.outcome = EchoOutcome::kSuspended;
    state = State::kTimedOut;
  }
  table_.End(record, state);
  verdicts_.results.push_back(result);
}

}  // namespace echo_exporter
