#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"

namespace echo_exporter {

/// One request, while it is in flight and long after its end, so that a late or
/// duplicate reply is recognised.
struct RequestRecord {
  enum class State : std::uint8_t {
    kUnused,
    kInFlight,
    kAnswered,  ///< by a reply
    kFailed,    ///< by an ICMP error, or not sent at all
    kTimedOut,  ///< or suspended
  };

  /// The time right before sending, which happens without the owner's lock.
  SteadyTime sent() const {
    return SteadyTime(Nanoseconds(sent_.load(std::memory_order_relaxed)));
  }
  void set_sent(SteadyTime time) {
    sent_.store(time.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// How long the call that sends took; negative while it lasts.
  Nanoseconds send_took() const {
    return Nanoseconds(send_took_.load(std::memory_order_relaxed));
  }
  void set_send_took(Nanoseconds duration) {
    send_took_.store(duration.count(), std::memory_order_relaxed);
  }

  std::uint64_t number =
      0;  ///< of the request; its last 16 bits are sequence()
  std::uint64_t tag = 0;
  std::uint64_t cookie = 0;
  IpAddress destination;
  Nanoseconds timeout{};
  /// How long the machine had been suspended in total before the request.
  Nanoseconds suspended{};
  std::uint16_t payload_size = 0;
  std::uint16_t identifier = 0;  ///< as it is on the wire
  State state = State::kUnused;
  /// A packet from the destination was not its intact reply.
  bool corrupted = false;
  /// An error about it has arrived: see RequestMatcher.
  bool has_error = false;
  /// Counts its socket's requests in flight; null when nobody counts.
  std::atomic<std::uint32_t>* socket_requests = nullptr;

  std::uint16_t sequence() const { return static_cast<std::uint16_t>(number); }

 private:
  std::atomic<std::int64_t> sent_{0};
  std::atomic<std::int64_t> send_took_{0};
};

/// The requests in flight and the last ones before them.
///
/// A ring: each request takes the next record that is not in flight. The number
/// of records is at least twice that of requests in flight, and a multiple of
/// 65,536, so that the records of one sequence number are few and have known
/// places: the 16 bits of a sequence number are not a limit.
///
/// Not thread-safe: the owner locks.
class RequestTable {
 public:
  /// `max_in_flight`: 1 .. 1,000,000.
  explicit RequestTable(std::size_t max_in_flight);

  std::size_t in_flight() const { return in_flight_; }

  /// Assigns a record to the request; null when max_in_flight requests are in
  /// flight. The request times out at `now` + its timeout.
  RequestRecord* Begin(const EchoRequest& request, std::uint64_t cookie,
                       SteadyTime now);

  /// Requires that the record is in flight; `state` is a later one.
  void End(RequestRecord& record, RequestRecord::State state);

  /// The record of a request with this sequence number for which `matches`
  /// returns true: one in flight, else the latest, else null.
  template <typename Predicate>
  RequestRecord* Find(std::uint16_t sequence, const Predicate& matches);

  /// When the next request may time out, or an earlier time, the deadline of a
  /// request that has ended. Absent: never.
  std::optional<SteadyTime> NextDeadline() const;

  /// A request in flight whose timeout, counted from its sending, was over at
  /// `now`; null when there is none. O(log n).
  RequestRecord* FindExpired(SteadyTime now);

  /// Ends all requests in flight, in one pass over the records; calls
  /// `ended(record)` for each. `state` as in End().
  template <typename Observer>
  void EndAll(RequestRecord::State state, const Observer& ended);

 private:
  struct Deadline {
    SteadyTime time;
    std::uint64_t number = 0;
  };
  static void Leave(RequestRecord& record, RequestRecord::State state) {
    record.state = state;
    if (record.socket_requests != nullptr) --*record.socket_requests;
    record.socket_requests = nullptr;
  }
  static bool Later(const Deadline& a, const Deadline& b) {
    return a.time > b.time;
  }

  RequestRecord& RecordOf(std::uint64_t number) {
    return records_[number % records_.size()];
  }
  bool IsInFlight(std::uint64_t number);
  void DropDeadDeadlines();

  const std::size_t max_in_flight_;
  std::vector<RequestRecord> records_;
  std::size_t in_flight_ = 0;
  std::uint64_t next_number_ = 0;
  /// A heap. Deadlines of ended requests stay until they reach the top, or
  /// until they are too many.
  std::vector<Deadline> deadlines_;
};

template <typename Predicate>
RequestRecord* RequestTable::Find(std::uint16_t sequence,
                                  const Predicate& matches) {
  constexpr std::size_t kSequences = 65536;
  RequestRecord* found = nullptr;
  for (std::size_t i = sequence; i < records_.size(); i += kSequences) {
    RequestRecord& record = records_[i];
    if (record.state == RequestRecord::State::kUnused || !matches(record)) {
      continue;
    }
    if (record.state == RequestRecord::State::kInFlight) return &record;
    if (found == nullptr || found->number < record.number) found = &record;
  }
  return found;
}

template <typename Observer>
void RequestTable::EndAll(RequestRecord::State state, const Observer& ended) {
  in_flight_ = 0;
  deadlines_.clear();
  for (RequestRecord& record : records_) {
    if (record.state != RequestRecord::State::kInFlight) continue;
    Leave(record, state);
    ended(record);
  }
}

}  // namespace echo_exporter
