#include "src/http/fair_turns.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

namespace echo_exporter {

bool FairTurns::Begin(const IpAddress& client) {
  const MutexLock lock(mutex_);
  if (!busy_) {
    busy_ = true;
    last_ = client;
    return true;
  }
  if (!MakeRoom(client)) return false;
  Waiting self{.client = client};
  queue_.push_back(&self);
  while (self.state == State::kWaiting) self.changed.Wait(mutex_);
  return self.state == State::kTurn;
}

void FairTurns::End() {
  const MutexLock lock(mutex_);
  if (queue_.empty()) {
    busy_ = false;
    return;
  }
  // The oldest of the client after the last one, in a circle of addresses.
  const auto next = std::ranges::min_element(
      queue_, {}, [last = last_](const Waiting* waiting) {
        return std::pair(waiting->client <= last, waiting->client);
      });
  last_ = (*next)->client;
  Decide(next, State::kTurn);
}

/// Whether one more of `client` may wait.
bool FairTurns::MakeRoom(const IpAddress& client) {
  std::map<IpAddress, std::size_t> waiting;
  for (const Waiting* one : queue_) ++waiting[one->client];
  const std::size_t own = waiting[client];
  if (own >= kMostOfOneClient) return false;
  if (queue_.size() < kMostOfAll) return true;
  const auto [most, number] = *std::ranges::max_element(
      waiting, {}, [](const auto& of) { return of.second; });
  if (number <= own + 1) return false;
  const auto newest =
      std::find_if(queue_.rbegin(), queue_.rend(),
                   [&of = most](const Waiting* w) { return w->client == of; });
  Decide(std::prev(newest.base()), State::kRejected);
  return true;
}

/// Its thread goes on, and destroys it, only once the mutex is free.
void FairTurns::Decide(Queue::const_iterator waiting, State state) {
  (*waiting)->state = state;
  (*waiting)->changed.NotifyOne();
  queue_.erase(waiting);
}

}  // namespace echo_exporter
