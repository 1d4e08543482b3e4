#include "echo_exporter/probe_recorder.h"

#include <algorithm>
#include <array>
#include <cstddef>
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

class ProbeRecorder::Impl {
 public:
  Impl(const std::vector<double>& rtt_buckets, const Clock& clock,
       bool sees_stray_replies)
      : clock_(clock),
        buckets_(rtt_buckets),
        exposition_(rtt_buckets, sees_stray_replies) {}

  void AddPair(PairId pair, const PairLabels& labels);
  void SetLabels(PairId pair, const PairLabels& labels);
  void RemovePair(PairId pair);
  bool RestorePair(PairId pair, const PairLabels& labels);
  bool HasPair(PairId pair) const;
  void RecordRequest(PairId pair);
  void RecordResult(PairId pair, const EchoResult& result);
  void RecordStrayReply(PairId pair, StrayReply kind);
  void SetRoute(PairId pair, const std::optional<Route>& route);
  void RecordConfigLoad(bool successful) {
    exporter_.RecordConfigLoad(successful, clock_.WallNow());
  }
  std::size_t RenderMemory() const;
  void Render(const EchoTransportStats& transport, const TextSink& sink) const;

  ExporterMetrics& exporter() { return exporter_; }

 private:
  struct Pair {
    std::shared_ptr<const std::string> labels;
    PairStats stats;
    std::optional<Route> route = std::nullopt;
    bool removed = false;  ///< but with requests in flight
  };

  /// Every kShardCount-th pair. A lock for each pair would make it larger by
  /// a tenth; among a few threads, these are contended as seldom.
  struct Shard {
    mutable Mutex mutex;
    std::unordered_map<PairId, Pair> pairs GUARDED_BY(mutex);
  };
  static constexpr std::size_t kShardCount = 64;

  Shard& ShardOf(PairId pair) { return shards_[pair % kShardCount]; }
  const Shard& ShardOf(PairId pair) const {
    return shards_[pair % kShardCount];
  }

  std::vector<PairSnapshot> Snapshot() const;

  const Clock& clock_;
  const RttBuckets buckets_;
  const PairExposition exposition_;
  ExporterMetrics exporter_;
  std::array<Shard, kShardCount> shards_;
};

void ProbeRecorder::Impl::AddPair(PairId pair, const PairLabels& labels) {
  Pair added{
      .labels = std::make_shared<const std::string>(RenderPairLabels(labels)),
      .stats = PairStats(buckets_.count())};
  exporter_.AddPair();
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  shard.pairs.emplace(pair, std::move(added));
}

void ProbeRecorder::Impl::SetLabels(PairId pair, const PairLabels& labels) {
  auto text = std::make_shared<const std::string>(RenderPairLabels(labels));
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(pair).labels = std::move(text);
}

void ProbeRecorder::Impl::RemovePair(PairId pair) {
  exporter_.RemovePair();
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  const auto found = shard.pairs.find(pair);
  if (found->second.stats.in_flight() == 0) {
    shard.pairs.erase(found);
  } else {
    found->second.removed = true;
  }
}

bool ProbeRecorder::Impl::RestorePair(PairId pair, const PairLabels& labels) {
  auto text = std::make_shared<const std::string>(RenderPairLabels(labels));
  {
    Shard& shard = ShardOf(pair);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(pair);
    if (found == shard.pairs.end()) return false;
    found->second.labels = std::move(text);
    found->second.route.reset();
    found->second.removed = false;
  }
  exporter_.AddPair();
  return true;
}

bool ProbeRecorder::Impl::HasPair(PairId pair) const {
  const Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  return shard.pairs.contains(pair);
}

void ProbeRecorder::Impl::RecordRequest(PairId pair) {
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(pair).stats.RecordRequest();
}

void ProbeRecorder::Impl::RecordResult(PairId pair, const EchoResult& result) {
  {
    Shard& shard = ShardOf(pair);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(pair);
    PairStats& stats = found->second.stats;
    stats.RecordResult(result, buckets_);
    if (found->second.removed && stats.in_flight() == 0) {
      shard.pairs.erase(found);
    }
  }
  if (result.outcome == EchoOutcome::kReply) {
    exporter_.RecordCompletionDelay(result.completion_delay);
  }
}

void ProbeRecorder::Impl::RecordStrayReply(PairId pair, StrayReply kind) {
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  const auto found = shard.pairs.find(pair);
  if (found != shard.pairs.end()) found->second.stats.RecordStrayReply(kind);
}

void ProbeRecorder::Impl::SetRoute(PairId pair,
                                   const std::optional<Route>& route) {
  Shard& shard = ShardOf(pair);
  const MutexLock lock(shard.mutex);
  shard.pairs.at(pair).route = route;
}

std::vector<PairSnapshot> ProbeRecorder::Impl::Snapshot() const {
  std::vector<PairId> ids;
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    for (const auto& [id, pair] : shard.pairs) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());  // the order of the configuration
  std::vector<PairSnapshot> snapshot;
  snapshot.reserve(ids.size());
  for (const PairId id : ids) {
    // Memory is obtained before the lock, so that only copying is under it.
    snapshot.push_back({{}, PairStats(buckets_.count()), {}});
    const Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(id);
    if (found == shard.pairs.end()) {  // removed meanwhile
      snapshot.pop_back();
      continue;
    }
    snapshot.back().labels = found->second.labels;
    snapshot.back().stats = found->second.stats;
    snapshot.back().route = found->second.route;
  }
  return snapshot;
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
  exposition_.Write(Snapshot(), writer);
  exporter_.Write(transport, ReadProcessStats(),
                  *CreateTextFamilyWriter(&writer.text()));
  writer.Flush();
}

ProbeRecorder::ProbeRecorder(const std::vector<double>& rtt_buckets,
                             const Clock& clock, bool sees_stray_replies)
    : impl_(std::make_unique<Impl>(rtt_buckets, clock, sees_stray_replies)) {}

ProbeRecorder::~ProbeRecorder() = default;

void ProbeRecorder::AddPair(PairId pair, const PairLabels& labels) {
  impl_->AddPair(pair, labels);
}

void ProbeRecorder::SetLabels(PairId pair, const PairLabels& labels) {
  impl_->SetLabels(pair, labels);
}

void ProbeRecorder::RemovePair(PairId pair) { impl_->RemovePair(pair); }

bool ProbeRecorder::RestorePair(PairId pair, const PairLabels& labels) {
  return impl_->RestorePair(pair, labels);
}

bool ProbeRecorder::HasPair(PairId pair) const { return impl_->HasPair(pair); }

void ProbeRecorder::RecordRequest(PairId pair) { impl_->RecordRequest(pair); }

void ProbeRecorder::RecordResult(PairId pair, const EchoResult& result) {
  impl_->RecordResult(pair, result);
}

void ProbeRecorder::RecordStrayReply(PairId pair, StrayReply kind) {
  impl_->RecordStrayReply(pair, kind);
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

std::size_t ProbeRecorder::RenderMemory() const {
  return impl_->RenderMemory();
}

void ProbeRecorder::Render(const EchoTransportStats& transport,
                           const TextSink& sink) const {
  impl_->Render(transport, sink);
}

}  // namespace echo_exporter
