#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"

namespace echo_exporter {

/// Limits the rate of requests per client; ClientNetwork() defines a client.
///
/// Thread-safe.
class ClientLimiter {
 public:
  /// The most clients remembered. Another one evicts the client whose last
  /// request is oldest, which then starts with a full burst.
  static constexpr std::size_t kMaxClients = 4096;

  /// `requests_per_second`: 0 for no limit, or 0.001 .. 1,000,000; `burst`
  /// that many at once, 1 .. 1,000,000.
  ClientLimiter(double requests_per_second, std::uint32_t burst);

  /// Counts the request and returns zero when the client may send one now; else
  /// the time until it may. `now` must not decrease, except for moments.
  Nanoseconds Take(const IpAddress& client, SteadyTime now);

 private:
  struct Client {
    IpAddress network;
    TokenBucket bucket;
  };
  using Clients = std::list<Client>;

  const Nanoseconds interval_;  ///< zero: no limit
  const std::uint32_t burst_;

  Mutex mutex_;
  Clients clients_ GUARDED_BY(mutex_);  ///< most recent request first
  std::map<IpAddress, Clients::iterator> by_network_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
