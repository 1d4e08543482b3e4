#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Lets one thread at a time do costly work. Those that wait get their turns
/// client by client, so that a client with many requests delays its own before
/// those of others.
///
/// Thread-safe.
class FairTurns {
 public:
  /// How many may wait at once, of one client and of all. Each occupies a
  /// connection that cannot be evicted meanwhile.
  static constexpr std::size_t kMostOfOneClient = 64;
  static constexpr std::size_t kMostOfAll = 128;

  FairTurns() = default;
  FairTurns(const FairTurns&) = delete;
  FairTurns& operator=(const FairTurns&) = delete;

  /// Waits for a turn of `client`. False when too many wait: the newest of the
  /// client with the most is rejected. After true, the caller must call End().
  bool Begin(const IpAddress& client);
  void End();

 private:
  enum class State : std::uint8_t { kWaiting, kTurn, kRejected };
  struct Waiting {
    IpAddress client;
    State state = State::kWaiting;
    CondVar changed{};
  };
  using Queue = std::vector<Waiting*>;

  bool MakeRoom(const IpAddress& client) REQUIRES(mutex_);
  void Decide(Queue::const_iterator waiting, State state) REQUIRES(mutex_);

  Mutex mutex_;
  bool busy_ GUARDED_BY(mutex_) = false;
  Queue queue_ GUARDED_BY(mutex_);     ///< the oldest first
  IpAddress last_ GUARDED_BY(mutex_);  ///< the client that had the last turn
};

}  // namespace echo_exporter
