#include "src/http/fair_turns.h"

#include <algorithm>

namespace echo_exporter {

bool FairTurns::Begin(const IpAddress& client) {
  const MutexLock lock(mutex_);
  if (!busy_) {
    busy_ = true;
    last_ = client;
    return true;
  }
  if (!MakeRoom(client)) return false;
  Waiting self;
  // A queue is never empty, not even when there is no memory.
  std::deque<Waiting*> alone = {&self};
  const auto [queue, is_new] = queues_.try_emplace(client, std::move(alone));
  if (!is_new) queue->second.push_back(&self);
  ++waiting_;
  while (self.state == State::kWaiting) self.changed.Wait(mutex_);
  return self.state == State::kTurn;
}

void FairTurns::End() {
  const MutexLock lock(mutex_);
  if (queues_.empty()) {
    busy_ = false;
    return;
  }
  auto next = queues_.upper_bound(last_);
  if (next == queues_.end()) next = queues_.begin();
  last_ = next->first;
  Waiting* const first = next->second.front();
  next->second.pop_front();
  if (next->second.empty()) queues_.erase(next);
  Decide(first, State::kTurn);
}

/// Whether one more of `client` may wait.
bool FairTurns::MakeRoom(const IpAddress& client) {
  const auto own = queues_.find(client);
  const std::size_t own_size = own == queues_.end() ? 0 : own->second.size();
  if (own_size >= kMostOfOneClient) return false;
  if (waiting_ < kMostOfAll) return true;
  const auto longest = std::max_element(
      queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
        return a.second.size() < b.second.size();
      });
  if (longest->second.size() <= own_size + 1) return false;
  // More than one, so the queue does not become empty.
  Waiting* const newest = longest->second.back();
  longest->second.pop_back();
  Decide(newest, State::kRejected);
  return true;
}

/// `waiting` is in no queue any more. Its thread goes on, and destroys it, only
/// once the mutex is free.
void FairTurns::Decide(Waiting* waiting, State state) {
  --waiting_;
  waiting->state = state;
  waiting->changed.NotifyOne();
}

}  // namespace echo_exporter
