#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/probe_recorder.h"
#include "echo_exporter/probe_scheduler.h"
#include "src/base/condition_log.h"
#include "src/base/id_table.h"
#include "src/base/mutex.h"
#include "src/base/permit.h"
#include "src/base/waiter.h"
#include "src/engine/endpoint.h"
#include "src/engine/result_router.h"

namespace echo_exporter {

/// What the pairs of a group, or of a module, from one source have in common.
struct PairSettings {
  Endpoint source;
  /// SourceConfig::other_address
  std::optional<IpAddress> other_source = std::nullopt;
  EchoSettings echo;
  std::uint32_t flow_renew_after = 0;  ///< as in GroupConfig
  std::uint16_t outage_after = 3;      ///< the same
  /// No address of the destination in none of these is used; null: any is.
  std::shared_ptr<const std::vector<IpPrefix>> allowed = nullptr;

  friend bool operator==(const PairSettings&, const PairSettings&) = default;
};

/// The dispatcher's settings of one pair.
struct DispatchedPair {
  PairId id = 0;
  Endpoint destination;
  std::shared_ptr<const PairSettings> settings;  ///< never null

  friend bool operator==(const DispatchedPair& a, const DispatchedPair& b) {
    return a.id == b.id && a.destination == b.destination &&
           *a.settings == *b.settings;
  }
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
/// It renews the flow of a pair that keeps failing, where state on the way may
/// be the reason: at most once in kFlowRenewalSpacing.
///
/// Thread-safe.
class Dispatcher {
 public:
  using Completion = ResultRouter::Completion;

  /// For a pair that nothing helps, this bounds the state that it leaves behind
  /// in the routers on the way.
  static constexpr Nanoseconds kFlowRenewalSpacing = std::chrono::seconds(10);

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
  /// Throws std::bad_alloc, and has changed nothing then.
  void Apply(DispatchChange change);

  /// Throws when the system has no thread or no memory for it.
  void Start();

  /// Stops sending and waits for requests in flight for at most their timeouts
  /// and a margin, and for no longer than `drain_limit`; submitted requests
  /// that take longer, or were never sent, end as kGeneralFailure. May be
  /// called more than once.
  void Stop();

  /// Sends a request as soon as possible, after those of pairs that are due.
  /// `done` runs exactly once, with the request's result, on any thread, under
  /// the rules of the transport's callback. After Stop(), the result is
  /// kGeneralFailure at once. Requires room for it.
  void Submit(EchoRequest request, Completion done);

  /// The most submitted requests that may be in flight together: a quarter of
  /// the transport's limit, at least one. None of it is kept free of pairs.
  std::uint32_t room() const;

  /// Room for so many submitted requests at once, at most room(), as long as
  /// the permit exists; it may not be granted.
  Permit TakeRoom(std::uint32_t requests) {
    return Permit(room_taken_, room(), requests);
  }

  /// Whether Stop() has been called: requests may have ended because of that.
  bool stopping() const { return stopping_; }

  /// How long the sending thread has been blocked, as far as can be observed:
  /// since it woke up or was due to wake up; zero while it sleeps as planned.
  Nanoseconds HeldUpFor() const;

 private:
  struct Pair {
    /// How it is probed now; null: not at all, for the reason `no_route`.
    const Route* route() const { return no_route ? nullptr : &last_route; }
    RouteChoice choice() const {
      return no_route ? RouteChoice(*no_route) : last_route;
    }

    DispatchedPair spec;
    Route last_route;
    bool had_route = false;  ///< `last_route` is one of the present `spec`
    bool told_of = false;    ///< in `unusable_`
    std::optional<NoRoute> no_route = NoRoute::kDestinationUnresolved;
    std::uint64_t route_generation = 0;  ///< of the book; 0: none yet
    std::uint32_t flow_renewals = 0;     ///< of fresh flows, with each request
    std::uint32_t losses_at_renewal = 0;
    SteadyTime next_renewal = SteadyTime::min();  ///< not earlier
  };

  /// A change that Apply() waits for.
  struct Pending {
    const DispatchChange* change;
    bool applied = false;
    std::exception_ptr error = nullptr;
  };

  void Run();
  void ApplyPending();
  void Make(const DispatchChange& change);
  void Commit(const DispatchChange& change) noexcept;
  void ForgetUnusable(PairId id) noexcept;
  void SendDue(SteadyTime now);
  void SendSubmitted();
  void LookAtUnresolved(SteadyTime now);
  void RenewFlow(Pair& pair, std::uint32_t losses);
  void Probe(const ProbeScheduler::Tick& tick);
  void Send(const EchoRequest& request);
  void UpdateRoute(Pair& pair);
  void TellOf(Pair& pair, const RouteChoice& choice);
  std::optional<SourceAddresses> SourcesOf(const PairSettings& settings) const;

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
  IdTable<Pair> pairs_;
  std::vector<ProbeScheduler::Tick> ticks_;  ///< kept for its memory
  Nanoseconds longest_timeout_{};
  bool has_unresolved_ = false;  ///< perhaps
  std::uint64_t looked_at_ = 0;  ///< of the book; 0: not yet
  SteadyTime next_look_{};

  /// Since when the thread is awake, or until when it sleeps.
  std::atomic<SteadyTime> alive_{SteadyTime::max()};

  std::atomic<std::uint32_t> room_taken_{0};
  std::atomic<bool> stopping_{false};  ///< changed with the mutex held

  Mutex mutex_;
  CondVar applied_;
  enum class Phase {
    kCreated,
    kRunning,
    kEnded
  } phase_ GUARDED_BY(mutex_) = Phase::kCreated;
  std::vector<DispatchChange> before_start_ GUARDED_BY(mutex_);
  std::vector<Pending*> pending_ GUARDED_BY(mutex_);
  std::vector<EchoRequest> submitted_ GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace echo_exporter
