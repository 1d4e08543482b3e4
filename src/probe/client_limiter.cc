#include "src/probe/client_limiter.h"

#include <algorithm>
#include <cmath>

namespace echo_exporter {
namespace {

Nanoseconds IntervalOf(double requests_per_second) {
  if (!(requests_per_second > 0)) return Nanoseconds::zero();
  return Nanoseconds(std::llround(1e9 / requests_per_second));
}

}  // namespace

ClientLimiter::ClientLimiter(double requests_per_second, std::uint32_t burst)
    : interval_(IntervalOf(requests_per_second)), burst_(burst) {}

Nanoseconds ClientLimiter::Take(const IpAddress& client, SteadyTime now) {
  if (interval_ == Nanoseconds::zero()) return interval_;
  const IpAddress network = ClientNetwork(client);
  const MutexLock lock(mutex_);
  const auto found = by_network_.find(network);
  if (found != by_network_.end()) {
    clients_.splice(clients_.begin(), clients_, found->second);
  } else {
    if (clients_.size() >= kMaxClients) {
      by_network_.erase(clients_.back().network);
      clients_.pop_back();
    }
    clients_.push_front({network, TokenBucket(interval_, burst_)});
    by_network_.emplace(network, clients_.begin());
  }
  return clients_.front().bucket.Take(now);
}

}  // namespace echo_exporter
