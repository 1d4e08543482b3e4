#ifndef ECHO_EXPORTER_SRC_ENGINE_DISPATCHER_H_
#define ECHO_EXPORTER_SRC_ENGINE_DISPATCHER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/probe_recorder.h"
#include "echo_exporter/probe_scheduler.h"
#include "src/base/condition_log.h"
#include "src/base/mutex.h"
#include "src/base/waiter.h"
#include "src/engine/result_router.h"

namespace echo_exporter {

/// One end of a pair: a fixed address, or an entry of the address book. Both
/// absent: the system chooses, for sources only.
struct Endpoint {
  std::optional<IpAddress> address;
  std::optional<AddressBook::EntryId> entry;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The dispatcher's settings of one pair.
struct DispatchedPair {
  PairId id = 0;
  Endpoint source;
  Endpoint destination;
  EchoSettings echo;

  friend bool operator==(const DispatchedPair&,
                         const DispatchedPair&) = default;
};

/// Pairs that share an interval.
struct DispatchedGroup {
  Nanoseconds interval{};
  std::vector<DispatchedPair> pairs;
};

/// A set of changes for a dispatcher, applied at once.
struct DispatchChange {
  /// Pairs to be scheduled: new ones, and those whose interval changes.
  std::vector<DispatchedGroup> scheduled;
  /// Pairs that keep their schedule but differ otherwise.
  std::vector<DispatchedPair> updated;
  std::vector<PairId> removed;
};

/// Owns the one thread that calls the transport: takes the ticks that are due
/// from the scheduler, finds the routes, and sends. That thread also sends the
/// requests of /probe.
///
/// Thread-safe.
class Dispatcher {
 public:
  using Completion = ResultRouter::Completion;

  /// The arguments passed by reference must outlive the dispatcher. The
  /// transport reports to `router`. `drain_limit`: see Stop().
  Dispatcher(const Clock& clock, EchoTransport& transport, AddressBook& book,
             ProbeRecorder& recorder, ResultRouter& router,
             Nanoseconds drain_limit);
  /// Stops.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Applies the change between two requests, and returns when it is applied,
  /// or at once when the sending thread has not started or has ended. Nothing
  /// is sent for removed pairs from then on; requests in flight still end.
  void Apply(DispatchChange change);

  void Start();

  /// Stops sending and waits for requests in flight for at most their timeouts
  /// and a margin, and for no longer than `drain_limit`; submitted requests
  /// that take longer, or were never sent, end as kGeneralFailure. May be
  /// called more than once.
  void Stop();

  /// Sends a request as soon as possible. `done` runs exactly once, with the
  /// request's result, on any thread, under the rules of the transport's
  /// callback. After Stop(), the result is kGeneralFailure at once.
  void Submit(EchoRequest request, Completion done);

  /// How long the sending thread has been blocked, as far as can be observed:
  /// since it woke up or was due to wake up; zero while it sleeps as planned.
  Nanoseconds HeldUpFor() const;

 private:
  struct Pair {
    DispatchedPair spec;
    RouteChoice route = NoRoute::kDestinationUnresolved;
    std::uint64_t route_generation = 0;         ///< of the book; 0: none yet
    std::optional<IpAddress> last_destination;  ///< of the last Route
    bool told_of = false;                       ///< in `unusable_`
  };

  void Run();
  void ApplyPending();
  void Make(const DispatchChange& change);
  void SendSubmitted();
  void Probe(const ProbeScheduler::Tick& tick);
  void UpdateRoute(Pair& pair);
  void TellOf(Pair& pair, const RouteChoice& choice);
  std::vector<IpAddress> AddressesOf(const Endpoint& endpoint) const;
  std::optional<SourceAddresses> SourcesOf(const Endpoint& endpoint) const;

  const Clock& clock_;
  EchoTransport& transport_;
  AddressBook& book_;
  ProbeRecorder& recorder_;
  ResultRouter& router_;
  const Nanoseconds drain_limit_;
  const std::unique_ptr<Waiter> waiter_;

  ConditionLog unusable_;

  // Confined to the dispatcher thread once it runs.
  ProbeScheduler scheduler_;
  std::unordered_map<PairId, Pair> pairs_;
  Nanoseconds longest_timeout_{};

  /// Since when the thread is awake, or until when it sleeps.
  std::atomic<SteadyTime> alive_{SteadyTime::max()};

  Mutex mutex_;
  CondVar applied_;
  bool running_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<DispatchChange> pending_ GUARDED_BY(mutex_);
  std::vector<EchoRequest> submitted_ GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_DISPATCHER_H_
