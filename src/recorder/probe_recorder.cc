#include "echo_exporter/probe_recorder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "src/recorder/probe_recorder_impl.h"

namespace echo_exporter {

PairId ProbeRecorder::Impl::AddPair(const PairLabels& labels) {
  const MutexLock lock(index_mutex_);
  const auto found = index_.find(&labels);
  if (found == index_.end()) return Begin(labels);
  GoOn(found->second);
  return found->second;
}

PairId ProbeRecorder::Impl::Begin(const PairLabels& labels) {
  const PairId id = next_id_;
  auto naming = std::make_shared<const PreparedLabels>(labels);
  const auto place = index_.emplace(&naming->labels, id).first;
  Shard& shard = ShardOf(id);
  try {
    Pair pair{.naming = std::move(naming),
              .stats = PairStats(shapes_, clock_.WallNow())};
    const MutexLock lock(shard.mutex);
    shard.pairs.emplace(id, std::move(pair));
  } catch (...) {
    index_.erase(place);
    throw;
  }
  ++next_id_;
  exporter_.AddPair(labels);
  return id;
}

void ProbeRecorder::Impl::GoOn(PairId id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  Pair& pair = shard.pairs.at(id);
  if (!pair.removed) return;
  pair.removed = false;
  pair.facts = {std::nullopt, pair.facts.traits};
  exporter_.AddPair(pair.naming->labels);
}

void ProbeRecorder::Impl::Relabel(
    PairId id, std::shared_ptr<const PreparedLabels> labels) noexcept {
  const MutexLock index_lock(index_mutex_);
  // The entry is kept, so that no memory is needed.
  auto entry = index_.extract(&labels->labels);
  entry.key() = &labels->labels;
  index_.insert(std::move(entry));
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(id).naming.swap(labels);
}

void ProbeRecorder::Impl::Describe(PairId id,
                                   const PairTraits& traits) noexcept {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(id).facts.traits = traits;
}

void ProbeRecorder::Impl::RemovePair(PairId id) noexcept {
  {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    Pair& pair = shard.pairs.at(id);
    pair.removed = true;
    exporter_.RemovePair(pair.naming->labels);
  }
  EraseIfEnded(id);
}

// Does nothing if the pair was added again, or erased, meanwhile.
void ProbeRecorder::Impl::EraseIfEnded(PairId id) noexcept {
  const MutexLock index_lock(index_mutex_);
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const auto found = shard.pairs.find(id);
  if (found == shard.pairs.end() || !found->second.has_ended()) return;
  index_.erase(&found->second.naming->labels);
  shard.pairs.erase(found);
}

std::shared_ptr<const PairLabels> ProbeRecorder::Impl::LabelsOf(
    PairId id) const {
  const Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const auto& naming = shard.pairs.at(id).naming;
  return {naming, &naming->labels};
}

ProbeRecorder::RecordedRequest ProbeRecorder::Impl::RecordRequest(
    PairId id, SteadyTime sent, std::uint16_t outage_after) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  Pair& pair = shard.pairs.at(id);
  const std::uint32_t number = pair.order.Begin(sent, outage_after);
  pair.stats.RecordRequest();
  return {{id, number}, pair.stats.losses()};
}

void ProbeRecorder::Impl::RecordResult(const RequestId& id,
                                       const EchoResult& result) {
  bool has_ended = false;
  {
    Shard& shard = ShardOf(id.pair);
    const MutexLock lock(shard.mutex);
    Pair& pair = shard.pairs.at(id.pair);
    pair.stats.RecordResult(result, shapes_, clock_);
    pair.order.End(id.number, result.outcome, [&](const SentRequest& request) {
      Judge(id.pair, pair, request);
    });
    has_ended = pair.has_ended();
  }
  if (has_ended) EraseIfEnded(id.pair);
  if (result.outcome == EchoOutcome::kReply) {
    exporter_.RecordCompletionDelay(result.completion_delay);
  }
}

// In the order of sending.
void ProbeRecorder::Impl::Judge(PairId id, Pair& pair,
                                const SentRequest& request) const {
  const FailureRuns& runs = pair.stats.runs();
  const EchoOutcome outcome = *request.outcome;
  const std::optional<EchoOutcome> previous = runs.last_outcome();
  const bool was_outage = runs.is_outage();
  const std::uint64_t losses_before = runs.length();
  pair.stats.RecordInSendOrder(request, shapes_, clock_);
  if (observer_ == nullptr || pair.removed || IsOfThisHost(outcome) ||
      (outcome == previous && runs.is_outage() == was_outage &&
       !observer_->wants_every_outcome())) {
    return;
  }
  const std::uint64_t losses = std::max(losses_before, runs.length());
  observer_->OnOutcome(
      {.pair = id,
       .labels = pair.naming->labels,
       .outcome = outcome,
       .previous = previous,
       .is_outage = runs.is_outage(),
       .was_outage = was_outage,
       .sent = request.sent,
       .losses = losses,
       .lasted = losses > 0 ? request.sent - runs.begin() : Nanoseconds()});
}

void ProbeRecorder::Impl::RecordStrayReply(PairId id, StrayReply kind) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const auto found = shard.pairs.find(id);
  if (found != shard.pairs.end()) found->second.stats.RecordStrayReply(kind);
}

void ProbeRecorder::Impl::RecordFlowRenewal(PairId id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(id).stats.RecordFlowRenewal();
}

void ProbeRecorder::Impl::SetRoute(PairId id, const std::optional<Route>& route,
                                   bool resolved) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  PairFacts& facts = shard.pairs.at(id).facts;
  facts = {route, facts.traits, resolved, /*is_routed=*/true};
}

ProbeRecorder::ProbeRecorder(const HistogramOptions& options,
                             const Clock& clock, bool sees_stray_replies,
                             bool renews_flows, PairObserver* observer)
    : impl_(std::make_unique<Impl>(options, clock, sees_stray_replies,
                                   renews_flows, observer)) {}

ProbeRecorder::~ProbeRecorder() = default;

PairId ProbeRecorder::AddPair(const PairLabels& labels) {
  return impl_->AddPair(labels);
}

void ProbeRecorder::Describe(PairId pair, const PairTraits& traits) noexcept {
  impl_->Describe(pair, traits);
}

void ProbeRecorder::RemovePair(PairId pair) noexcept {
  impl_->RemovePair(pair);
}

void ProbeRecorder::Relabel(
    PairId pair, std::shared_ptr<const PreparedLabels> labels) noexcept {
  impl_->Relabel(pair, std::move(labels));
}

std::shared_ptr<const PreparedLabels> ProbeRecorder::Prepare(
    const PairLabels& labels) {
  return std::make_shared<const PreparedLabels>(labels);
}

std::shared_ptr<const PairLabels> ProbeRecorder::LabelsOf(PairId pair) const {
  return impl_->LabelsOf(pair);
}

ProbeRecorder::RecordedRequest ProbeRecorder::RecordRequest(
    PairId pair, SteadyTime sent, std::uint16_t outage_after) {
  return impl_->RecordRequest(pair, sent, outage_after);
}

void ProbeRecorder::RecordResult(const RequestId& request,
                                 const EchoResult& result) {
  impl_->RecordResult(request, result);
}

void ProbeRecorder::RecordStrayReply(PairId pair, StrayReply kind) {
  impl_->RecordStrayReply(pair, kind);
}

void ProbeRecorder::RecordFlowRenewal(PairId pair) {
  impl_->RecordFlowRenewal(pair);
}

void ProbeRecorder::SetRoute(PairId pair, const std::optional<Route>& route,
                             bool resolved) {
  impl_->SetRoute(pair, route, resolved);
}

void ProbeRecorder::RecordScheduleLag(Nanoseconds lag) {
  impl_->exporter().RecordScheduleLag(lag);
}

void ProbeRecorder::RecordMissed(MissReason reason, std::uint64_t ticks) {
  impl_->exporter().RecordMissed(reason, ticks);
}

void ProbeRecorder::RecordResolveFailure() {
  impl_->exporter().RecordResolveFailure();
}

void ProbeRecorder::SetStaleLookups(std::size_t count) {
  impl_->exporter().SetStaleLookups(count);
}

void ProbeRecorder::RecordHttpRequest(std::string_view handler, int status) {
  impl_->exporter().RecordHttpRequest(handler, status);
}

void ProbeRecorder::RecordConfigLoad(bool successful) {
  impl_->exporter().RecordConfigLoad(successful);
}

void ProbeRecorder::RecordWebConfigLoad(bool successful,
                                        const std::optional<WallTime>& expiry) {
  impl_->exporter().RecordWebConfigLoad(successful, expiry);
}

void ProbeRecorder::SetDiscovery(DiscoveryStatus status) {
  impl_->exporter().SetDiscovery(std::move(status));
}

}  // namespace echo_exporter
