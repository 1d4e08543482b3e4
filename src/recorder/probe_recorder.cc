#include "echo_exporter/probe_recorder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "src/base/mutex.h"
#include "src/base/process_stats.h"
#include "src/recorder/exporter_metrics.h"
#include "src/recorder/exposition.h"
#include "src/recorder/pair_stats.h"

namespace echo_exporter {

/// The labels of a pair: as names and values, and rendered once for the text
/// format.
struct PreparedLabels {
  explicit PreparedLabels(const PairLabels& pair_labels)
      : labels(pair_labels), text(RenderPairLabels(pair_labels)) {}

  const PairLabels labels;
  const std::string text;
};

namespace {

// The identity of a pair, as views of labels that stay in place.
struct IdentityHash {
  std::size_t operator()(const PairLabels* pair) const {
    std::size_t hash = 0;
    for (const std::string* name :
         {&pair->group, &pair->source, &pair->destination}) {
      hash = hash * 31 + std::hash<std::string>()(*name);
    }
    return hash;
  }
};
struct SameIdentity {
  bool operator()(const PairLabels* a, const PairLabels* b) const {
    return a->destination == b->destination && a->source == b->source &&
           a->group == b->group;
  }
};

/// Fills in all of `statistics`, whose `rtt_counts` has the right size already;
/// allocates nothing.
void CopyStatistics(const PairStats& stats, PairStatistics* statistics) {
  statistics->requests = stats.requests();
  statistics->in_flight = stats.in_flight();
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    statistics->outcomes[i] = stats.outcomes(static_cast<EchoOutcome>(i));
  }
  for (std::size_t i = 0; i < kStrayReplyCount; ++i) {
    statistics->stray_replies[i] =
        stats.stray_replies(static_cast<StrayReply>(i));
  }
  statistics->flow_renewals = stats.flow_renewals();
  statistics->rtt_counts = stats.rtt_counts();
  statistics->rtt_sum = stats.rtt_sum();
  statistics->up = stats.up();
  statistics->last_rtt = stats.last_rtt();
  statistics->jitter = stats.jitter();
  statistics->reply_ttl = stats.reply_ttl();
}

}  // namespace

class ProbeRecorder::Impl {
 public:
  Impl(const std::vector<double>& rtt_buckets, const Clock& clock,
       bool sees_stray_replies, bool renews_flows, PairObserver* observer)
      : clock_(clock),
        observer_(observer),
        buckets_(rtt_buckets),
        exposition_(rtt_buckets, sees_stray_replies, renews_flows) {}

  PairId AddPair(const PairLabels& labels);
  void RemovePair(PairId id) noexcept;
  void Relabel(PairId id,
               std::shared_ptr<const PreparedLabels> labels) noexcept;
  std::shared_ptr<const PairLabels> LabelsOf(PairId id) const;
  std::uint32_t RecordRequest(PairId id);
  void RecordResult(PairId id, const EchoResult& result);
  void RecordStrayReply(PairId id, StrayReply kind);
  void RecordFlowRenewal(PairId id);
  void SetRoute(PairId id, const std::optional<Route>& route);
  void RecordConfigLoad(bool successful) {
    exporter_.RecordConfigLoad(successful, clock_.WallNow());
  }
  std::vector<PairStatus> Snapshot() const;
  std::size_t RenderMemory() const;
  void Render(const EchoTransportStats& transport, const TextSink& sink) const;

  ExporterMetrics& exporter() { return exporter_; }

 private:
  struct Pair {
    std::shared_ptr<const PreparedLabels> naming;
    PairStats stats;
    std::optional<Route> route = std::nullopt;
    bool removed = false;  ///< ends with its last outcome

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
  void Observe(PairId id, const Pair& pair, EchoOutcome outcome) const;

  template <typename Copy, typename CopyPair>
  std::vector<Copy> CopyPairs(const Copy& blank, CopyPair copy_pair) const;

  const Clock& clock_;
  PairObserver* const observer_;
  const RttBuckets buckets_;
  const PairExposition exposition_;
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
              .stats = PairStats(buckets_.count())};
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
  pair.route.reset();
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

void ProbeRecorder::Impl::RemovePair(PairId id) noexcept {
  exporter_.RemovePair();
  {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    shard.pairs.at(id).removed = true;
  }
  EraseIfEnded(id);
}

// Does nothing if the pair has been added again meanwhile, or has been erased
// already.
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

std::uint32_t ProbeRecorder::Impl::RecordRequest(PairId id) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  PairStats& stats = shard.pairs.at(id).stats;
  stats.RecordRequest();
  return stats.losses();
}

void ProbeRecorder::Impl::RecordResult(PairId id, const EchoResult& result) {
  bool has_ended = false;
  {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    Pair& pair = shard.pairs.at(id);
    if (observer_ != nullptr) Observe(id, pair, result.outcome);
    pair.stats.RecordResult(result, buckets_);
    has_ended = pair.has_ended();
  }
  if (has_ended) EraseIfEnded(id);
  if (result.outcome == EchoOutcome::kReply) {
    exporter_.RecordCompletionDelay(result.completion_delay);
  }
}

// Before the outcome is recorded.
void ProbeRecorder::Impl::Observe(PairId id, const Pair& pair,
                                  EchoOutcome outcome) const {
  const std::optional<EchoOutcome> previous = pair.stats.last_outcome();
  if (pair.removed || IsOfThisHost(outcome) ||
      (outcome == previous && !observer_->wants_every_outcome())) {
    return;
  }
  observer_->OnOutcome({.pair = id,
                        .labels = pair.naming->labels,
                        .outcome = outcome,
                        .previous = previous});
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

void ProbeRecorder::Impl::SetRoute(PairId id,
                                   const std::optional<Route>& route) {
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(id).route = route;
}

// One copy of `blank` for each pair, in the order of their numbers, filled in
// by `copy_pair(id, pair, copy)` under the lock of the pair's shard.
template <typename Copy, typename CopyPair>
std::vector<Copy> ProbeRecorder::Impl::CopyPairs(const Copy& blank,
                                                 CopyPair copy_pair) const {
  std::vector<PairId> ids;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (const auto& [id, pair] : shard.pairs) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  std::vector<Copy> copies;
  copies.reserve(ids.size());
  for (const PairId id : ids) {
    // Memory is allocated before locking, so that the lock is held only for
    // copying.
    copies.push_back(blank);
    const Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(id);
    if (found == shard.pairs.end()) {  // has ended meanwhile
      copies.pop_back();
      continue;
    }
    copy_pair(id, found->second, &copies.back());
  }
  return copies;
}

std::vector<PairStatus> ProbeRecorder::Impl::Snapshot() const {
  PairStatus blank;
  blank.statistics.rtt_counts.resize(buckets_.count());
  return CopyPairs(blank, [](PairId id, const Pair& pair, PairStatus* status) {
    status->id = id;
    status->labels = {pair.naming, &pair.naming->labels};
    CopyStatistics(pair.stats, &status->statistics);
    status->route = pair.route;
  });
}

std::size_t ProbeRecorder::Impl::RenderMemory() const {
  std::size_t pairs = 0;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    pairs += shard.pairs.size();
  }
  return pairs *
         (sizeof(PairSnapshot) + buckets_.count() * sizeof(std::uint64_t));
}

void ProbeRecorder::Impl::Render(const EchoTransportStats& transport,
                                 const TextSink& sink) const {
  PieceWriter writer(sink);
  const PairSnapshot blank{{}, PairStats(buckets_.count()), {}};
  exposition_.Write(
      CopyPairs(blank,
                [](PairId, const Pair& pair, PairSnapshot* snapshot) {
                  snapshot->labels = {pair.naming, &pair.naming->text};
                  snapshot->stats = pair.stats;
                  snapshot->route = pair.route;
                }),
      writer);
  exporter_.Write(transport, ReadProcessStats(),
                  *CreateTextFamilyWriter(&writer.text()));
  writer.Flush();
}

ProbeRecorder::ProbeRecorder(const std::vector<double>& rtt_buckets,
                             const Clock& clock, bool sees_stray_replies,
                             bool renews_flows, PairObserver* observer)
    : impl_(std::make_unique<Impl>(rtt_buckets, clock, sees_stray_replies,
                                   renews_flows, observer)) {}

ProbeRecorder::~ProbeRecorder() = default;

PairId ProbeRecorder::AddPair(const PairLabels& labels) {
  return impl_->AddPair(labels);
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

std::uint32_t ProbeRecorder::RecordRequest(PairId pair) {
  return impl_->RecordRequest(pair);
}

void ProbeRecorder::RecordResult(PairId pair, const EchoResult& result) {
  impl_->RecordResult(pair, result);
}

void ProbeRecorder::RecordStrayReply(PairId pair, StrayReply kind) {
  impl_->RecordStrayReply(pair, kind);
}

void ProbeRecorder::RecordFlowRenewal(PairId pair) {
  impl_->RecordFlowRenewal(pair);
}

void ProbeRecorder::SetRoute(PairId pair, const std::optional<Route>& route) {
  impl_->SetRoute(pair, route);
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

void ProbeRecorder::RecordWebConfigLoad(bool successful) {
  impl_->exporter().RecordWebConfigLoad(successful);
}

std::vector<PairStatus> ProbeRecorder::Snapshot() const {
  return impl_->Snapshot();
}

std::size_t ProbeRecorder::RenderMemory() const {
  return impl_->RenderMemory();
}

void ProbeRecorder::Render(const EchoTransportStats& transport,
                           const TextSink& sink) const {
  impl_->Render(transport, sink);
}

}  // namespace echo_exporter
