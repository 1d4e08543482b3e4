#include "echo_exporter/probe_recorder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "echo_exporter/family_writer.h"
#include "src/base/mutex.h"
#include "src/base/process_stats.h"
#include "src/recorder/exporter_metrics.h"
#include "src/recorder/pair_families.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/piece_writer.h"
#include "src/recorder/prepared_labels.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {

class ProbeRecorder::Impl {
 public:
  Impl(const HistogramOptions& options, const Clock& clock,
       bool sees_stray_replies, bool renews_flows, PairObserver* observer)
      : clock_(clock),
        observer_(observer),
        shapes_(options),
        exporter_(options, clock) {
    never_[IndexOf(PairFamily::kLateReplies)] = !sees_stray_replies;
    never_[IndexOf(PairFamily::kDuplicateReplies)] = !sees_stray_replies;
    never_[IndexOf(PairFamily::kFlowRenewals)] = !renews_flows;
  }

  PairId AddPair(const PairLabels& labels);
  void Describe(PairId id, const PairTraits& traits) noexcept;
  void RemovePair(PairId id) noexcept;
  void Relabel(PairId id,
               std::shared_ptr<const PreparedLabels> labels) noexcept;
  std::shared_ptr<const PairLabels> LabelsOf(PairId id) const;
  RecordedRequest RecordRequest(PairId id, SteadyTime sent,
                                std::uint16_t outage_after);
  void RecordResult(const RequestId& id, const EchoResult& result);
  void RecordStrayReply(PairId id, StrayReply kind);
  void RecordFlowRenewal(PairId id);
  void SetRoute(PairId id, const std::optional<Route>& route, bool resolved);
  void RecordConfigLoad(bool successful) {
    exporter_.RecordConfigLoad(successful, clock_.WallNow());
  }
  std::vector<PairStatus> Snapshot() const;
  std::size_t RenderMemory(const MetricsQuery& query) const;
  void Render(const MetricsQuery& query, const EchoTransportStats& transport,
              const TextSink& sink) const;

  ExporterMetrics& exporter() { return exporter_; }

 private:
  struct Pair {
    // What each echo needs comes first, in few lines of the processor's cache.
    std::shared_ptr<const PreparedLabels> naming;
    bool removed = false;  ///< ends with its last outcome
    SendOrder order{};
    PairStats stats;
    PairFacts facts{};

    bool has_ended() const { return removed && stats.in_flight() == 0; }
  };
  /// By the labels of the pairs' own `naming`.
  using Index =
      std::unordered_map<const PairLabels*, PairId, IdentityHash, SameIdentity>;

  /// Every kShardCount-th pair. A lock for each pair would make it larger by a
  /// tenth; with a few threads, the locks of shards are contended as rarely.
  struct Shard {
    mutable Mutex mutex;
    std::unordered_map<PairId, Pair> pairs GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShardCount = 64;

  Shard& ShardOf(PairId id) { return shards_[id % kShardCount]; }
  const Shard& ShardOf(PairId id) const { return shards_[id % kShardCount]; }

  PairId Begin(const PairLabels& labels) REQUIRES(index_mutex_);
  void GoOn(PairId id) REQUIRES(index_mutex_);
  void EraseIfEnded(PairId id) noexcept;
  void Judge(PairId id, Pair& pair, const SentRequest& request) const;

  template <typename Copy, typename CopyPair>
  std::vector<Copy> CopyPairs(Copy copy, CopyPair copy_pair) const;
  std::vector<PairSnapshot> CopyPairs(const MetricsQuery& query) const;

  const Clock& clock_;
  const WallTime started_ = clock_.WallNow();
  PairObserver* const observer_;
  const PairShapes shapes_;
  PairFamilySet never_;  ///< families that no pair can have
  ExporterMetrics exporter_;
  std::array<Shard, kShardCount> shards_;

  /// Of the pairs in `shards_`; locked before a shard's mutex, if both are.
  Mutex index_mutex_;
  Index index_ GUARDED_BY(index_mutex_);
  PairId next_id_ GUARDED_BY(index_mutex_) = 0;
};

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
  exporter_.AddPair();
  return id;
}

void ProbeRecorder::Impl::GoOn(PairId id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  Pair& pair = shard.pairs.at(id);
  if (!pair.removed) return;
  pair.removed = false;
  pair.facts = {std::nullopt, pair.facts.traits};
  exporter_.AddPair();
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
  exporter_.RemovePair();
  {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    shard.pairs.at(id).removed = true;
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

// In the order of their numbers, a copy of each pair for which `copy_pair(id,
// pair, &copy)`, which fills it in under the shard's lock, returns true.
template <typename Copy, typename CopyPair>
std::vector<Copy> ProbeRecorder::Impl::CopyPairs(Copy copy,
                                                 CopyPair copy_pair) const {
  std::vector<PairId> ids;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (const auto& [id, pair] : shard.pairs) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  std::vector<Copy> copies;
  copies.reserve(ids.size());
  // `copy` has the memory that one may need: the lock sees no allocation.
  const auto fill = [&](PairId id) {
    const Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(id);
    // It may have ended meanwhile.
    return found != shard.pairs.end() && copy_pair(id, found->second, &copy);
  };
  for (const PairId id : ids) {
    if (fill(id)) copies.push_back(copy);
  }
  return copies;
}

std::vector<PairStatus> ProbeRecorder::Impl::Snapshot() const {
  const auto copy_pair = [](PairId id, const Pair& pair, PairStatus* copy) {
    copy->id = id;
    copy->labels = {pair.naming, &pair.naming->labels};
    pair.stats.CopyTo(&copy->statistics);
    copy->route = pair.facts.route;
    copy->unresolved = pair.facts.IsUnresolved(copy->statistics.in_outage);
    copy->interval = pair.facts.traits.interval;
    return true;
  };
  return CopyPairs(PairStatus(), copy_pair);
}

std::vector<PairSnapshot> ProbeRecorder::Impl::CopyPairs(
    const MetricsQuery& query) const {
  if (!query.pairs) return {};
  PairSnapshot snapshot{{}, PairStats(shapes_), {}};
  snapshot.stats.ReserveAll(shapes_);
  const auto copy_pair = [&](PairId, const Pair& pair, PairSnapshot* copy) {
    const std::string& group = pair.naming->labels.group;
    if (query.groups && !query.groups->contains(group)) return false;
    copy->labels = pair.naming;
    copy->stats = pair.stats;
    copy->facts = pair.facts;
    return true;
  };
  return CopyPairs(std::move(snapshot), copy_pair);
}

std::size_t ProbeRecorder::Impl::RenderMemory(const MetricsQuery& query) const {
  if (!query.pairs) return 0;
  // Of an ordinary pair. In protobuf, a family is in memory until its end.
  constexpr std::size_t kNativeBuckets = 20;
  constexpr std::size_t kMessageBytes = 512;
  const std::size_t each =
      sizeof(PairSnapshot) +
      (shapes_.rtt.bounds().size() + kNativeBuckets) * sizeof(std::uint64_t) +
      (query.format == MetricsFormat::kText ? 0 : kMessageBytes);
  std::size_t pairs = 0;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    pairs += shard.pairs.size();
  }
  return pairs * each;
}

void ProbeRecorder::Impl::Render(const MetricsQuery& query,
                                 const EchoTransportStats& transport,
                                 const TextSink& sink) const {
  PieceWriter pieces(sink);
  const auto writer =
      CreateFamilyWriter(query.format, &pieces.text(), started_);
  WritePairFamilies(CopyPairs(query), query.omit | never_, shapes_, *writer,
                    pieces);
  if (query.exporter) exporter_.Write(transport, ReadProcessStats(), *writer);
  pieces.Flush();
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

void ProbeRecorder::RecordHttpRequest(std::string_view handler, int status) {
  impl_->exporter().RecordHttpRequest(handler, status);
}

void ProbeRecorder::RecordConfigLoad(bool successful) {
  impl_->RecordConfigLoad(successful);
}

void ProbeRecorder::RecordWebConfigLoad(bool successful,
                                        const std::optional<WallTime>& expiry) {
  impl_->exporter().RecordWebConfigLoad(successful, expiry);
}

std::vector<PairStatus> ProbeRecorder::Snapshot() const {
  return impl_->Snapshot();
}

std::size_t ProbeRecorder::RenderMemory(const MetricsQuery& query) const {
  return impl_->RenderMemory(query);
}

void ProbeRecorder::Render(const MetricsQuery& query,
                           const EchoTransportStats& transport,
                           const TextSink& sink) const {
  impl_->Render(query, transport, sink);
}

}  // namespace echo_exporter
