#include "src/transport/request_table.h"

#include <algorithm>
#include <bit>

namespace echo_exporter {
namespace {

constexpr std::size_t kSmallestRing = 65536;

// The heap is rebuilt when it has this many more deadlines of ended requests
// than of requests in flight.
constexpr std::size_t kDeadDeadlines = 4096;

}  // namespace

RequestTable::RequestTable(std::size_t max_in_flight)
    : max_in_flight_(max_in_flight),
      records_(std::max(std::bit_ceil(2 * max_in_flight), kSmallestRing)) {}

RequestRecord* RequestTable::Begin(const EchoRequest& request,
                                   std::uint64_t cookie, SteadyTime now) {
  if (in_flight_ >= max_in_flight_) return nullptr;
  // At most half of the ring is in flight, so this loop ends; numbers may be
  // skipped.
  while (RecordOf(next_number_).state == RequestRecord::State::kInFlight) {
    ++next_number_;
  }
  // First, as it may throw.
  deadlines_.push_back({now + request.timeout, next_number_});
  std::push_heap(deadlines_.begin(), deadlines_.end(), Later);
  RequestRecord& record = RecordOf(next_number_);
  record.number = next_number_++;
  record.tag = request.tag;
  record.cookie = cookie;
  record.destination = request.destination;
  record.timeout = request.timeout;
  record.payload_size = request.payload_size;
  record.state = RequestRecord::State::kInFlight;
  record.corrupted = false;
  record.has_error = false;
  record.set_sent(now);
  record.set_send_took(Nanoseconds::zero());
  ++in_flight_;
  return &record;
}

void RequestTable::End(RequestRecord& record, RequestRecord::State state) {
  Leave(record, state);
  --in_flight_;
  DropDeadDeadlines();
}

bool RequestTable::IsInFlight(std::uint64_t number) {
  const RequestRecord& record = RecordOf(number);
  return record.number == number &&
         record.state == RequestRecord::State::kInFlight;
}

void RequestTable::DropDeadDeadlines() {
  if (deadlines_.size() <= 2 * in_flight_ + kDeadDeadlines) return;
  std::erase_if(deadlines_, [this](const Deadline& deadline) {
    return !IsInFlight(deadline.number);
  });
  std::make_heap(deadlines_.begin(), deadlines_.end(), Later);
}

std::optional<SteadyTime> RequestTable::NextDeadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.front().time;
}

RequestRecord* RequestTable::FindExpired(SteadyTime now) {
  while (!deadlines_.empty() && deadlines_.front().time <= now) {
    RequestRecord& record = RecordOf(deadlines_.front().number);
    const bool in_flight = IsInFlight(deadlines_.front().number);
    // It may have been sent a little later than its deadline assumed.
    const SteadyTime deadline = record.sent() + record.timeout;
    if (in_flight && deadline <= now) return &record;
    std::pop_heap(deadlines_.begin(), deadlines_.end(), Later);
    deadlines_.pop_back();
    if (!in_flight) continue;
    deadlines_.push_back({deadline, record.number});
    std::push_heap(deadlines_.begin(), deadlines_.end(), Later);
  }
  return nullptr;
}

}  // namespace echo_exporter
