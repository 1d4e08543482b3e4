#include "src/engine/dispatcher.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "src/base/prefetch.h"
#include "src/base/thread_priority.h"
#include "src/engine/echo_route.h"

namespace echo_exporter {
namespace {

// Ticks that are due within this time share one wake-up, because arming a timer
// costs as much as sending.
constexpr Nanoseconds kWakeSpacing = std::chrono::milliseconds(1);

// How often pairs without an address are looked at between their ticks, which
// may be minutes apart.
constexpr Nanoseconds kUnresolvedSpacing = std::chrono::seconds(1);

constexpr Nanoseconds kDrainMargin = std::chrono::seconds(3);

std::string TextOf(const ProbeRecorder& recorder, PairId id) {
  return recorder.LabelsOf(id)->Text();
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
  Pending pending{.change = &change};
  MutexLock lock(mutex_);
  switch (phase_) {
    case Phase::kCreated:
      before_start_.push_back(std::move(change));
      return;
    case Phase::kEnded:
      return;
    case Phase::kRunning:
      break;
  }
  pending_.push_back(&pending);
  waiter_->Wake();
  while (phase_ == Phase::kRunning && !pending.applied) applied_.Wait(mutex_);
  if (pending.error) std::rethrow_exception(pending.error);
}

void Dispatcher::ApplyPending() {
  MutexLock lock(mutex_);
  if (pending_.empty()) return;
  for (Pending* const pending : pending_) {
    try {
      Make(*pending->change);
    } catch (const std::exception&) {
      pending->error = std::current_exception();
    }
    pending->applied = true;
  }
  pending_.clear();
  applied_.NotifyAll();
}

void Dispatcher::Make(const DispatchChange& change) {
  // All memory comes first, so that the change is made or not.
  std::vector<ProbeScheduler::Group> groups;
  std::size_t count = 0;
  groups.reserve(change.scheduled.size());
  for (const DispatchedGroup& group : change.scheduled) {
    auto& ids = groups.emplace_back();
    ids.interval = group.interval;
    ids.pairs.reserve(group.pairs.size());
    for (const DispatchedPair& spec : group.pairs) ids.pairs.push_back(spec.id);
    count += group.pairs.size();
  }
  std::vector<PairId> added;
  added.reserve(count);
  try {
    for (const ProbeScheduler::Group& group : groups) {
      for (const PairId id : group.pairs) {
        if (pairs_.Find(id) != nullptr) continue;
        pairs_.Insert(id, {});
        added.push_back(id);
      }
    }
    scheduler_.Schedule(groups, clock_.Now());
  } catch (...) {
    for (const PairId id : added) pairs_.Erase(id);
    throw;
  }
  if (!added.empty()) {
    has_unresolved_ = true;
    looked_at_ = 0;  // a name may be known already, of another pair
  }
  Commit(change);
}

void Dispatcher::ForgetUnusable(PairId id) noexcept {
  try {
    unusable_.Forget(TextOf(recorder_, id));
  } catch (const std::bad_alloc&) {
    // The log repeats a line that is not true any more.
  }
}

void Dispatcher::Commit(const DispatchChange& change) noexcept {
  scheduler_.Remove(change.removed);
  for (const PairId id : change.removed) {
    const Pair* const pair = pairs_.Find(id);
    if (pair != nullptr && pair->told_of) ForgetUnusable(id);
    pairs_.Erase(id);
  }
  const auto set = [this](const DispatchedPair& spec) {
    Pair& pair = pairs_.At(spec.id);
    pair.spec = spec;
    pair.route_generation = 0;
    pair.had_route = false;
    longest_timeout_ = std::max(longest_timeout_, spec.settings->echo.timeout);
  };
  for (const DispatchedPair& spec : change.updated) set(spec);
  for (const DispatchedGroup& group : change.scheduled) {
    for (const DispatchedPair& spec : group.pairs) set(spec);
  }
}

void Dispatcher::Start() {
  MutexLock lock(mutex_);
  for (const DispatchChange& change : before_start_) Make(change);
  before_start_ = {};
  thread_ = std::thread([this] { Run(); });
  phase_ = Phase::kRunning;
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

std::uint32_t Dispatcher::room() const {
  return static_cast<std::uint32_t>(
      std::max<std::size_t>(transport_.max_in_flight() / 4, 1));
}

void Dispatcher::Submit(EchoRequest request, Completion done) {
  {
    MutexLock lock(mutex_);
    if (!stopping_) {
      submitted_.reserve(submitted_.size() + 1);
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
  const RaisedThreadPriority raised;
  for (;;) {
    alive_ = clock_.Now();
    ApplyPending();
    {
      MutexLock lock(mutex_);
      if (stopping_) {
        phase_ = Phase::kEnded;
        applied_.NotifyAll();
        break;
      }
    }
    const SteadyTime now = clock_.Now();
    SendDue(now);
    SendSubmitted();
    if (has_unresolved_ && now >= next_look_) LookAtUnresolved(now);
    std::optional<SteadyTime> next = scheduler_.NextDue();
    if (next) next = std::max(*next, now + kWakeSpacing);
    if (has_unresolved_) next = std::min(next.value_or(next_look_), next_look_);
    alive_ = next.value_or(SteadyTime::max());
    waiter_->WaitUntil(next);
  }
  alive_ = SteadyTime::max();  // waiting for what is in flight blocks nothing
  // Here and not in Stop(): Send() and Drain() are confined to one thread.
  SendSubmitted();
  transport_.Drain(std::min(longest_timeout_ + kDrainMargin, drain_limit_));
}

void Dispatcher::SendDue(SteadyTime now) {
  ticks_.clear();
  try {
    scheduler_.TakeDue(now, &ticks_);
  } catch (const std::bad_alloc&) {
    return;  // they remain due
  }
  for (std::size_t i = 0; i < ticks_.size(); ++i) {
    if (i + 1 < ticks_.size()) {
      const PairId next = ticks_[i + 1].pair;
      Prefetch(&pairs_.At(next));
      recorder_.Expect(next);
    }
    try {
      Probe(ticks_[i]);
    } catch (const std::bad_alloc&) {
      // For its route, or to count it: this host lags behind.
      recorder_.RecordMissed(MissReason::kLate, 1);
    }
  }
}

void Dispatcher::SendSubmitted() {
  std::vector<EchoRequest> requests;
  {
    MutexLock lock(mutex_);
    requests.swap(submitted_);
  }
  for (const EchoRequest& request : requests) {
    longest_timeout_ = std::max(longest_timeout_, request.timeout);
    Send(request);
  }
}

// Updates the routes of pairs whose names may have resolved since.
void Dispatcher::LookAtUnresolved(SteadyTime now) {
  next_look_ = now + kUnresolvedSpacing;
  const std::uint64_t generation = book_.generation();
  if (generation == looked_at_) return;
  bool any = false;
  try {
    pairs_.ForEach([&](PairId, Pair& pair) {
      if (!pair.spec.destination.entry ||
          pair.no_route != NoRoute::kDestinationUnresolved) {
        return;
      }
      UpdateRoute(pair);
      any = any || pair.no_route.has_value();
    });
  } catch (const std::bad_alloc&) {
    return;  // the next look begins again
  }
  has_unresolved_ = any;
  looked_at_ = generation;
}

void Dispatcher::RenewFlow(Pair& pair, std::uint32_t losses) {
  const std::uint32_t after = pair.spec.settings->flow_renew_after;
  if (after == 0 || pair.spec.settings->echo.flow == FlowPolicy::kFresh) return;
  // There was a reply since.
  if (losses < pair.losses_at_renewal) pair.losses_at_renewal = 0;
  if (losses - pair.losses_at_renewal < after) return;
  const SteadyTime now = clock_.Now();
  if (now < pair.next_renewal) return;
  pair.losses_at_renewal = losses;
  pair.next_renewal = now + kFlowRenewalSpacing;
  ++pair.flow_renewals;
  recorder_.RecordFlowRenewal(pair.spec.id);
}

void Dispatcher::Probe(const ProbeScheduler::Tick& tick) {
  if (tick.missed > 0) recorder_.RecordMissed(MissReason::kLate, tick.missed);
  Pair& pair = pairs_.At(tick.pair);
  if (pair.route_generation != book_.generation()) UpdateRoute(pair);

  const Route* const route = pair.route();
  const bool bad_source = pair.no_route == NoRoute::kSourceUnavailable;
  if (route == nullptr && !bad_source) {
    recorder_.RecordMissed(MissReason::kUnresolved, 1);
    return;
  }
  if (transport_.in_flight() >= transport_.max_in_flight()) {
    recorder_.RecordMissed(MissReason::kMaxInFlight, 1);
    return;
  }
  const SteadyTime now = clock_.Now();
  recorder_.RecordScheduleLag(now - tick.due);
  const auto [id, losses] =
      recorder_.RecordRequest(tick.pair, now, pair.spec.settings->outage_after);
  if (bad_source) {
    // An adapter without address counts like an address that is not on this
    // host, which the system reports in that case: the probe was due and is
    // lost.
    EchoResult result;
    result.tag = ResultRouter::TagOf(id);
    result.outcome = EchoOutcome::kBadSource;
    router_.OnResult(result);
    return;
  }
  RenewFlow(pair, losses);
  EchoRequest request =
      MakeRequest(ResultRouter::TagOf(id), *route, pair.spec.settings->echo);
  request.flow.owner = tick.pair;
  request.flow.renewals = pair.flow_renewals;
  if (request.flow.kind == EchoFlow::Kind::kFresh) ++pair.flow_renewals;
  Send(request);
}

void Dispatcher::Send(const EchoRequest& request) {
  try {
    transport_.Send(request);
  } catch (const std::bad_alloc&) {
    EchoResult result;
    result.tag = request.tag;
    result.outcome = EchoOutcome::kNoResources;
    router_.OnResult(result);
  }
}

std::optional<SourceAddresses> Dispatcher::SourcesOf(
    const PairSettings& settings) const {
  const Endpoint& endpoint = settings.source;
  if (!endpoint.address && !endpoint.entry) return std::nullopt;
  SourceAddresses sources{
      .addresses = AddressesOf(endpoint, book_),
      .interface_index =
          endpoint.address ? 0 : book_.InterfaceIndex(*endpoint.entry)};
  if (settings.other_source) {
    sources.addresses.push_back(*settings.other_source);
  }
  return sources;
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
  const std::uint64_t generation = book_.generation();
  std::vector<IpAddress> destinations =
      AddressesOf(pair.spec.destination, book_);
  if (pair.spec.settings->allowed) {
    std::erase_if(destinations, [&](const IpAddress& address) {
      return std::ranges::none_of(
          *pair.spec.settings->allowed,
          [&](const IpPrefix& prefix) { return prefix.Contains(address); });
    });
  }
  const auto& adapter = pair.spec.settings->source.entry;
  RouteChoice choice =
      ChooseRoute(SourcesOf(*pair.spec.settings), destinations,
                  pair.spec.settings->echo.ip_version, transport_);
  if (adapter && !book_.IsKnown(*adapter)) {
    choice = NoRoute::kSourceUnread;
  } else if (std::holds_alternative<NoRoute>(choice) && adapter &&
             pair.had_route &&
             std::ranges::find(destinations, pair.last_route.destination) !=
                 destinations.end()) {
    // The destination is unchanged, so the adapter has lost its addresses, at
    // least those of this IP version.
    choice = NoRoute::kSourceUnavailable;
  }
  TellOf(pair, choice);
  // Last, as the above may throw.
  const bool is_first = std::exchange(pair.route_generation, generation) == 0;
  if (choice == pair.choice() && !is_first) return;
  const Route* const route = std::get_if<Route>(&choice);
  if (route != nullptr) {
    pair.last_route = *route;
    pair.had_route = true;
    pair.no_route.reset();
  } else {
    pair.no_route = std::get<NoRoute>(choice);
  }
  const bool resolved =
      !destinations.empty() && choice != RouteChoice(NoRoute::kVersionMismatch);
  recorder_.SetRoute(pair.spec.id,
                     route ? std::optional<Route>(*route) : std::nullopt,
                     resolved);
}

}  // namespace echo_exporter
