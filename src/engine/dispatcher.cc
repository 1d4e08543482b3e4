#include "src/engine/dispatcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "src/engine/echo_route.h"

namespace echo_exporter {
namespace {

// Ticks that are due within this time share one wake-up, because arming a timer
// costs as much as sending.
constexpr Nanoseconds kWakeSpacing = std::chrono::milliseconds(1);

constexpr Nanoseconds kDrainMargin = std::chrono::seconds(3);

std::string TextOf(const ProbeRecorder& recorder, PairId id) {
  const auto labels = recorder.LabelsOf(id);
  return labels->group + ": " + labels->source + " -> " + labels->destination;
}

}  // namespace

Dispatcher::Dispatcher(const Clock& clock, EchoTransport& transport,
                       AddressBook& book, ProbeRecorder& recorder,
                       ResultRouter& router, Nanoseconds drain_limit)
    : clock_(clock),
      transport_(transport),
      book_(book),
      recorder_(recorder),
      router_(router),
      drain_limit_(drain_limit),
      waiter_(CreateWaiter()),
      unusable_({.begins = "no usable address",
                 .ends = "usable address again",
                 .subject = "pair"},
                clock) {}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Apply(DispatchChange change) {
  MutexLock lock(mutex_);
  pending_.push_back(std::move(change));
  if (!running_) return;
  waiter_->Wake();
  while (running_ && !pending_.empty()) applied_.Wait(mutex_);
}

void Dispatcher::ApplyPending() {
  MutexLock lock(mutex_);
  if (pending_.empty()) return;
  for (const DispatchChange& change : pending_) Make(change);
  pending_.clear();
  applied_.NotifyAll();
}

void Dispatcher::Make(const DispatchChange& change) {
  for (const PairId id : change.removed) {
    scheduler_.Remove(id);
    if (const auto pair = pairs_.find(id); pair != pairs_.end()) {
      if (pair->second.told_of) unusable_.Forget(TextOf(recorder_, id));
      pairs_.erase(pair);
    }
  }
  const auto set = [this](const DispatchedPair& spec) {
    Pair& pair = pairs_[spec.id];
    pair.spec = spec;
    pair.route_generation = 0;
    longest_timeout_ = std::max(longest_timeout_, spec.echo.timeout);
  };
  for (const DispatchedPair& spec : change.updated) set(spec);
  for (const DispatchedGroup& group : change.scheduled) {
    std::vector<PairId> ids;
    ids.reserve(group.pairs.size());
    for (const DispatchedPair& spec : group.pairs) {
      scheduler_.Remove(spec.id);
      ids.push_back(spec.id);
      set(spec);
    }
    scheduler_.AddGroup(ids, group.interval, clock_.Now());
  }
}

void Dispatcher::Start() {
  {
    MutexLock lock(mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] { Run(); });
}

void Dispatcher::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  waiter_->Wake();
  if (thread_.joinable()) thread_.join();
  // Ends the waits for requests that outlast the draining.
  router_.GiveUp();
}

void Dispatcher::Submit(EchoRequest request, Completion done) {
  {
    MutexLock lock(mutex_);
    if (!stopping_) {
      request.tag = router_.Expect(std::move(done));
      submitted_.push_back(request);
      done = nullptr;
    }
  }
  if (done == nullptr) {
    waiter_->Wake();
    return;
  }
  EchoResult result;
  result.outcome = EchoOutcome::kGeneralFailure;
  done(result);
}

Nanoseconds Dispatcher::HeldUpFor() const {
  return std::max(clock_.Now() - alive_.load(), Nanoseconds::zero());
}

void Dispatcher::Run() {
  std::vector<ProbeScheduler::Tick> ticks;
  for (;;) {
    alive_ = clock_.Now();
    ApplyPending();
    SendSubmitted();
    {
      MutexLock lock(mutex_);
      if (stopping_) {
        running_ = false;
        applied_.NotifyAll();
        break;
      }
    }
    ticks.clear();
    const SteadyTime now = clock_.Now();
    scheduler_.TakeDue(now, &ticks);
    for (const ProbeScheduler::Tick& tick : ticks) Probe(tick);
    std::optional<SteadyTime> next = scheduler_.NextDue();
    if (next) next = std::max(*next, now + kWakeSpacing);
    alive_ = next.value_or(SteadyTime::max());
    waiter_->WaitUntil(next);
  }
  // Here and not in Stop(): Send() and Drain() are confined to one thread.
  SendSubmitted();
  transport_.Drain(std::min(longest_timeout_ + kDrainMargin, drain_limit_));
}

void Dispatcher::SendSubmitted() {
  std::vector<EchoRequest> requests;
  {
    MutexLock lock(mutex_);
    requests.swap(submitted_);
  }
  for (const EchoRequest& request : requests) {
    longest_timeout_ = std::max(longest_timeout_, request.timeout);
    transport_.Send(request);
  }
}

void Dispatcher::Probe(const ProbeScheduler::Tick& tick) {
  if (tick.missed > 0) recorder_.RecordMissed(MissReason::kLate, tick.missed);
  Pair& pair = pairs_.at(tick.pair);
  if (pair.route_generation != book_.generation()) UpdateRoute(pair);

  const Route* const route = std::get_if<Route>(&pair.route);
  const bool bad_source = route == nullptr && std::get<NoRoute>(pair.route) ==
                                                  NoRoute::kSourceUnavailable;
  if (route == nullptr && !bad_source) {
    recorder_.RecordMissed(MissReason::kUnresolved, 1);
    return;
  }
  if (transport_.in_flight() >= transport_.max_in_flight()) {
    recorder_.RecordMissed(MissReason::kMaxInFlight, 1);
    return;
  }
  recorder_.RecordScheduleLag(clock_.Now() - tick.due);
  recorder_.RecordRequest(tick.pair);
  if (bad_source) {
    // An adapter without address counts like an address that is not on this
    // host, which the system reports in that case: the probe was due and is
    // lost.
    EchoResult result;
    result.tag = ResultRouter::TagOf(tick.pair);
    result.outcome = EchoOutcome::kBadSource;
    router_.OnResult(result);
    return;
  }
  transport_.Send(
      MakeRequest(ResultRouter::TagOf(tick.pair), *route, pair.spec.echo));
}

std::vector<IpAddress> Dispatcher::AddressesOf(const Endpoint& endpoint) const {
  if (endpoint.address) return {*endpoint.address};
  return book_.Addresses(*endpoint.entry);
}

std::optional<SourceAddresses> Dispatcher::SourcesOf(
    const Endpoint& endpoint) const {
  if (!endpoint.address && !endpoint.entry) return std::nullopt;
  return SourceAddresses{
      .addresses = AddressesOf(endpoint),
      .interface_index =
          endpoint.entry ? book_.InterfaceIndex(*endpoint.entry) : 0};
}

void Dispatcher::TellOf(Pair& pair, const RouteChoice& choice) {
  const NoRoute* const none = std::get_if<NoRoute>(&choice);
  const bool unusable = none != nullptr && *none == NoRoute::kVersionMismatch;
  if (unusable) {
    unusable_.Report(TextOf(recorder_, pair.spec.id),
                     "the destination has no address of an IP version that "
                     "ip_version, the source and this system allow");
  } else if (pair.told_of) {
    unusable_.End(TextOf(recorder_, pair.spec.id));
  }
  pair.told_of = unusable;
}

void Dispatcher::UpdateRoute(Pair& pair) {
  // Read first, so that the next tick updates the route again if addresses
  // change meanwhile.
  pair.route_generation = book_.generation();
  const std::vector<IpAddress> destinations =
      AddressesOf(pair.spec.destination);
  RouteChoice choice = ChooseRoute(SourcesOf(pair.spec.source), destinations,
                                   pair.spec.echo.ip_version, transport_);
  if (const Route* const route = std::get_if<Route>(&choice)) {
    pair.last_destination = route->destination;
  } else if (pair.spec.source.entry &&
             std::ranges::find(destinations, pair.last_destination) !=
                 destinations.end()) {
    // The destination is unchanged, so the adapter has lost its addresses, at
    // least those of this IP version.
    choice = NoRoute::kSourceUnavailable;
  }
  TellOf(pair, choice);
  if (choice == pair.route) return;
  pair.route = choice;
  const Route* const route = std::get_if<Route>(&pair.route);
  recorder_.SetRoute(pair.spec.id,
                     route ? std::optional<Route>(*route) : std::nullopt);
}

}  // namespace echo_exporter
