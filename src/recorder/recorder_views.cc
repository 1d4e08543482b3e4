#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/family_writer.h"
#include "src/base/process_stats.h"
#include "src/recorder/piece_writer.h"
#include "src/recorder/probe_recorder_impl.h"

namespace echo_exporter {

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
  return CopyPairs(
      PairStatus(), [](PairId id, const Pair& pair, PairStatus* copy) {
        copy->id = id;
        copy->labels = {pair.naming, &pair.naming->labels};
        pair.stats.CopyTo(&copy->statistics);
        copy->route = pair.facts.route;
        copy->unresolved = pair.facts.IsUnresolved(copy->statistics.in_outage);
        copy->interval = pair.facts.traits.interval;
        return true;
      });
}

std::vector<PairSnapshot> ProbeRecorder::Impl::CopyPairs(
    const MetricsQuery& query) const {
  if (!query.pairs) return {};
  PairSnapshot snapshot{{}, PairStats(shapes_), {}};
  snapshot.stats.ReserveAll(shapes_);
  const auto copy_pair = [&](PairId, const Pair& pair, PairSnapshot* copy) {
    const PairLabels& labels = pair.naming->labels;
    if (labels.of_module) return false;
    if (query.groups && !query.groups->contains(labels.group)) return false;
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
                    &pieces);
  if (query.exporter) exporter_.Write(transport, ReadProcessStats(), *writer);
  pieces.Flush();
}

std::optional<PairStatus> ProbeRecorder::Impl::RenderPair(
    PairId id, const MetricsQuery& query, std::string* text) const {
  PairSnapshot snapshot{{}, PairStats(shapes_), {}};
  snapshot.stats.ReserveAll(shapes_);
  PairStatus status;
  status.id = id;
  {
    const Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const auto found = shard.pairs.find(id);
    if (found == shard.pairs.end()) return std::nullopt;
    const Pair& pair = found->second;
    snapshot.stats = pair.stats;
    snapshot.facts = pair.facts;
    status.labels = {pair.naming, &pair.naming->labels};
  }
  snapshot.stats.CopyTo(&status.statistics);
  status.route = snapshot.facts.route;
  const auto writer = CreateFamilyWriter(query.format, text, started_);
  WritePairFamilies({&snapshot, 1}, query.omit | never_, shapes_, *writer,
                    /*pieces=*/nullptr);
  return status;
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

std::optional<PairStatus> ProbeRecorder::RenderPair(PairId pair,
                                                    const MetricsQuery& query,
                                                    std::string* text) const {
  return impl_->RenderPair(pair, query, text);
}

}  // namespace echo_exporter
