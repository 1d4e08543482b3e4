#ifndef ECHO_EXPORTER_SRC_PROBE_CLIENT_LIMITER_H_
#define ECHO_EXPORTER_SRC_PROBE_CLIENT_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"

namespace echo_exporter {

/// Limits how often each client may ask; client_network.h says what counts as
/// one.
///
/// Thread-safe.
class ClientLimiter {
 public:
  /// Clients remembered at most. One more takes the place of the one that has
  /// not asked for longest, which then may start afresh.
  static constexpr std::size_t kMaxClients = 4096;

  /// `requests_per_second`: 0 for no limit, or 0.001 .. 1,000,000; `burst`
  /// that many at once, 1 .. 1,000,000.
  ClientLimiter(double requests_per_second, std::uint32_t burst);

  /// Zero, and it counts, when the client may ask now; else how long until it
  /// may. Requires a `now` that never goes back by more than moments.
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
  Clients clients_ GUARDED_BY(mutex_);  ///< the last one to ask first
  std::map<IpAddress, Clients::iterator> by_network_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_PROBE_CLIENT_LIMITER_H_
