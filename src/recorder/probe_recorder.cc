#include "echo_exporter/probe_recorder.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "echo_exporter/family_writer.h"
#include "src/base/id_table.h"
#include "src/base/mutex.h"
#include "src/base/prefetch.h"
#include "src/base/process_stats.h"
#include "src/base/thread_priority.h"
#include "src/recorder/exporter_metrics.h"
#include "src/recorder/packed_pairs.h"
#include "src/recorder/pair_families.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/piece_writer.h"
#include "src/recorder/prepared_labels.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {

namespace {

Histogram::Parts PartsIn(MetricsFormat format) {
  return format == MetricsFormat::kText ? Histogram::Parts::kClassic
                                        : Histogram::Parts::kAll;
}

}  // namespace

struct ProbeRecorder::Impl {
  struct Pair {
    // What each echo needs comes first, in few lines of the processor's cache.
    std::shared_ptr<const PreparedLabels> naming;
    SendOrder order{};
    PairStats stats;
    PairFacts facts{};
    bool removed = false;  ///< ends with its last outcome

    bool has_ended() const { return removed && stats.in_flight() == 0; }
    /// Of `naming`, which they keep.
    std::shared_ptr<const PairLabels> labels() const {
      return {naming, &naming->labels};
    }
  };
  /// By the labels of the pairs' own `naming`.
  using Index =
      std::unordered_map<const PairLabels*, PairId, IdentityHash, SameIdentity>;

  /// Every kShardCount-th pair. A lock for each pair would make it larger by a
  /// tenth; with a few threads, the locks of shards are contended as rarely.
  struct Shard {
    Mutex mutex;
    IdTable<Pair> pairs GUARDED_BY(mutex);  ///< by NumberInShard()
  };
  static constexpr PairId kShardCount = 64;

  Impl(const HistogramOptions& options, const Clock& system_clock,
       bool sees_stray_replies, bool renews_flows,
       std::vector<PairObserver*> pair_observers)
      : clock(system_clock),
        observers(std::move(pair_observers)),
        shapes(options),
        exporter(options, system_clock) {
    never[IndexOf(PairFamily::kLateReplies)] = !sees_stray_replies;
    never[IndexOf(PairFamily::kDuplicateReplies)] = !sees_stray_replies;
    never[IndexOf(PairFamily::kFlowRenewals)] = !renews_flows;
  }

  Shard& ShardOf(PairId id) { return shards[id % kShardCount]; }
  static std::uint32_t NumberInShard(PairId id) { return id / kShardCount; }

  /// `use(pair)` under the lock of its shard, of one that must be there.
  template <typename Use>
  auto WithPair(PairId id, const Use& use) {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    return use(shard.pairs.At(NumberInShard(id)));
  }

  PairId Begin(const PairLabels& labels) REQUIRES(index_mutex);
  void EraseIfEnded(PairId id) noexcept;
  void Judge(PairId id, Pair& pair, const SentRequest& request) const;

  template <typename Copies, typename Copy, typename CopyPair>
  Copies CopyPairs(Copies copies, Copy copy, CopyPair copy_pair);
  PackedPairs PackPairs(const MetricsQuery& query);

  const Clock& clock;
  const WallTime started = clock.WallNow();
  const std::vector<PairObserver*> observers;
  const PairShapes shapes;
  PairFamilySet never;  ///< families that no pair can have
  ExporterMetrics exporter;
  std::array<Shard, kShardCount> shards;

  /// Of the pairs in `shards`; locked before a shard's mutex, if both are.
  Mutex index_mutex;
  Index index GUARDED_BY(index_mutex);
  PairId next_id GUARDED_BY(index_mutex) = 0;
};

PairId ProbeRecorder::Impl::Begin(const PairLabels& labels) {
  const PairId id = next_id;
  auto naming = std::make_shared<const PreparedLabels>(labels);
  const auto place = index.emplace(&naming->labels, id).first;
  Shard& shard = ShardOf(id);
  try {
    Pair pair{.naming = std::move(naming),
              .stats = PairStats(shapes, clock.WallNow())};
    const MutexLock lock(shard.mutex);
    shard.pairs.Insert(NumberInShard(id), std::move(pair));
  } catch (...) {
    index.erase(place);
    throw;
  }
  ++next_id;
  exporter.AddPair(labels);
  return id;
}

// Does nothing if the pair was added again, or erased, meanwhile.
void ProbeRecorder::Impl::EraseIfEnded(PairId id) noexcept {
  const MutexLock index_lock(index_mutex);
  Shard& shard = ShardOf(id);
  const MutexLock lock(shard.mutex);
  const Pair* const pair = shard.pairs.Find(NumberInShard(id));
  if (pair == nullptr || !pair->has_ended()) return;
  index.erase(&pair->naming->labels);
  shard.pairs.Erase(NumberInShard(id));
}

// In the order of sending.
void ProbeRecorder::Impl::Judge(PairId id, Pair& pair,
                                const SentRequest& request) const {
  const FailureRuns& runs = pair.stats.runs();
  const EchoOutcome outcome = *request.outcome;
  const std::optional<EchoOutcome> previous = runs.last_outcome();
  const bool was_outage = runs.is_outage();
  const std::uint64_t losses_before = runs.length();
  pair.stats.RecordInSendOrder(request, shapes, clock);
  if (pair.removed || IsOfThisHost(outcome)) return;
  const bool is_news = outcome != previous || runs.is_outage() != was_outage;
  if (!is_news && std::ranges::none_of(observers, [](const PairObserver* one) {
        return one->wants_every_outcome();
      })) {
    return;
  }
  const std::uint64_t losses = std::max(losses_before, runs.length());
  const PairOutcome told{
      .pair = id,
      .labels = pair.naming->labels,
      .outcome = outcome,
      .previous = previous,
      .is_outage = runs.is_outage(),
      .was_outage = was_outage,
      .sent = request.sent,
      .losses = losses,
      .lasted = losses > 0 ? request.sent - runs.begin() : Nanoseconds()};
  for (PairObserver* const observer : observers) observer->OnOutcome(told);
}

// In the order of their numbers, a copy of each pair for which `copy_pair(id,
// pair, &copy)`, which fills it in under the shard's lock, returns true.
template <typename Copies, typename Copy, typename CopyPair>
Copies ProbeRecorder::Impl::CopyPairs(Copies copies, Copy copy,
                                      CopyPair copy_pair) {
  // Threads that keep deadlines need the locks: no program that computes may
  // interrupt this one for long while it holds one.
  const RaisedThreadPriority raised;
  std::vector<PairId> ids;
  for (PairId place = 0; place < kShardCount; ++place) {
    const MutexLock lock(shards[place].mutex);
    shards[place].pairs.ForEach([&](std::uint32_t number, const Pair&) {
      ids.push_back(number * kShardCount + place);
    });
  }
  std::sort(ids.begin(), ids.end());
  copies.reserve(ids.size());
  // `copy` has the memory that one may need: the lock sees no allocation but
  // for a pair that has had runs of losses.
  const auto fill = [&](PairId id) {
    Shard& shard = ShardOf(id);
    const MutexLock lock(shard.mutex);
    const Pair* const pair = shard.pairs.Find(NumberInShard(id));
    // It may have ended meanwhile.
    return pair != nullptr && copy_pair(id, *pair, &copy);
  };
  for (const PairId id : ids) {
    if (fill(id)) copies.push_back(copy);
  }
  return copies;
}

PackedPairs ProbeRecorder::Impl::PackPairs(const MetricsQuery& query) {
  PackedPairs packed(PartsIn(query.format));
  if (!query.pairs) return packed;
  PairSnapshot snapshot{{}, PairStats(shapes), {}};
  snapshot.stats.ReserveAll(shapes);
  const auto copy_pair = [&](PairId, const Pair& pair, PairSnapshot* copy) {
    const PairLabels& labels = pair.naming->labels;
    if (labels.of_module) return false;
    if (query.groups && !query.groups->contains(labels.group)) return false;
    copy->labels = pair.naming;
    copy->stats = pair.stats;
    copy->facts = pair.facts;
    return true;
  };
  return CopyPairs(std::move(packed), std::move(snapshot), copy_pair);
}

ProbeRecorder::ProbeRecorder(const HistogramOptions& options,
                             const Clock& clock, bool sees_stray_replies,
                             bool renews_flows,
                             std::vector<PairObserver*> observers)
    : impl_(std::make_unique<Impl>(options, clock, sees_stray_replies,
                                   renews_flows, std::move(observers))) {}

ProbeRecorder::~ProbeRecorder() = default;

PairId ProbeRecorder::AddPair(const PairLabels& labels) {
  const MutexLock lock(impl_->index_mutex);
  const auto found = impl_->index.find(&labels);
  if (found == impl_->index.end()) return impl_->Begin(labels);
  impl_->WithPair(found->second, [this](Impl::Pair& pair) {
    if (!pair.removed) return;
    pair.removed = false;
    pair.facts = {.route = {}, .traits = pair.facts.traits};
    impl_->exporter.AddPair(pair.naming->labels);
  });
  return found->second;
}

void ProbeRecorder::Describe(PairId id, const PairTraits& traits) noexcept {
  impl_->WithPair(id, [&](Impl::Pair& pair) { pair.facts.traits = traits; });
}

void ProbeRecorder::RemovePair(PairId id) noexcept {
  impl_->WithPair(id, [this](Impl::Pair& pair) {
    pair.removed = true;
    impl_->exporter.RemovePair(pair.naming->labels);
  });
  impl_->EraseIfEnded(id);
}

void ProbeRecorder::Relabel(
    PairId id, std::shared_ptr<const PreparedLabels> labels) noexcept {
  const MutexLock index_lock(impl_->index_mutex);
  // The entry is kept, so that no memory is needed.
  auto entry = impl_->index.extract(&labels->labels);
  entry.key() = &labels->labels;
  impl_->index.insert(std::move(entry));
  impl_->WithPair(id, [&](Impl::Pair& pair) { pair.naming.swap(labels); });
}

std::shared_ptr<const PreparedLabels> ProbeRecorder::Prepare(
    const PairLabels& labels) {
  return std::make_shared<const PreparedLabels>(labels);
}

std::shared_ptr<const PairLabels> ProbeRecorder::LabelsOf(PairId id) const {
  return impl_->WithPair(id, [](Impl::Pair& pair) { return pair.labels(); });
}

void ProbeRecorder::Expect(PairId id) const {
  impl_->WithPair(id, [](const Impl::Pair& pair) { Prefetch(&pair); });
}

ProbeRecorder::RecordedRequest ProbeRecorder::RecordRequest(
    PairId id, SteadyTime sent, std::uint16_t outage_after) {
  return impl_->WithPair(id, [&](Impl::Pair& pair) -> RecordedRequest {
    pair.stats.Prepare(impl_->shapes);
    const std::uint32_t number = pair.order.Begin(sent, outage_after);
    pair.stats.RecordRequest();
    return {{id, number}, pair.stats.losses()};
  });
}

void ProbeRecorder::RecordResult(const RequestId& id,
                                 const EchoResult& result) {
  const bool has_ended = impl_->WithPair(id.pair, [&](Impl::Pair& pair) {
    Prefetch(&pair);
    pair.stats.RecordResult(result, impl_->shapes, impl_->clock);
    pair.order.End(id.number, result.outcome, [&](const SentRequest& request) {
      impl_->Judge(id.pair, pair, request);
    });
    return pair.has_ended();
  });
  if (has_ended) impl_->EraseIfEnded(id.pair);
  if (result.outcome == EchoOutcome::kReply) {
    impl_->exporter.RecordCompletionDelay(result.completion_delay);
  }
}

void ProbeRecorder::RecordStrayReply(PairId id, StrayReply kind) {
  Impl::Shard& shard = impl_->ShardOf(id);
  const MutexLock lock(shard.mutex);
  Impl::Pair* const pair = shard.pairs.Find(Impl::NumberInShard(id));
  if (pair != nullptr) pair->stats.RecordStrayReply(kind);
}

void ProbeRecorder::RecordFlowRenewal(PairId id) {
  impl_->WithPair(id, [](Impl::Pair& pair) { pair.stats.RecordFlowRenewal(); });
}

void ProbeRecorder::SetRoute(PairId id, const std::optional<Route>& route,
                             bool resolved) {
  impl_->WithPair(id, [&](Impl::Pair& pair) {
    pair.facts = {.route = route,
                  .resolved = resolved,
                  .is_routed = true,
                  .traits = pair.facts.traits};
  });
}

void ProbeRecorder::RecordScheduleLag(Nanoseconds lag) {
  impl_->exporter.RecordScheduleLag(lag);
}

void ProbeRecorder::RecordMissed(MissReason reason, std::uint64_t ticks) {
  impl_->exporter.RecordMissed(reason, ticks);
}

void ProbeRecorder::RecordResolveFailure() {
  impl_->exporter.RecordResolveFailure();
}

void ProbeRecorder::SetStaleLookups(std::size_t count) {
  impl_->exporter.SetStaleLookups(count);
}

void ProbeRecorder::RecordHttpRequest(std::string_view handler, int status) {
  impl_->exporter.RecordHttpRequest(handler, status);
}

void ProbeRecorder::RecordConfigLoad(bool successful) {
  impl_->exporter.RecordConfigLoad(successful);
}

void ProbeRecorder::RecordWebConfigLoad(bool successful,
                                        const std::optional<WallTime>& expiry) {
  impl_->exporter.RecordWebConfigLoad(successful, expiry);
}

void ProbeRecorder::SetDiscovery(DiscoveryStatus status) {
  impl_->exporter.SetDiscovery(std::move(status));
}

std::vector<PairStatus> ProbeRecorder::Snapshot() const {
  return impl_->CopyPairs(
      std::vector<PairStatus>(), PairStatus(),
      [](PairId id, const Impl::Pair& pair, PairStatus* copy) {
        copy->id = id;
        copy->labels = pair.labels();
        pair.stats.CopyTo(&copy->statistics);
        copy->route = pair.facts.route;
        copy->unresolved = pair.facts.IsUnresolved(copy->statistics.in_outage);
        copy->interval = pair.facts.traits.interval;
        return true;
      });
}

std::vector<PairCondition> ProbeRecorder::Conditions() const {
  return impl_->CopyPairs(
      std::vector<PairCondition>(), PairCondition(),
      [](PairId id, const Impl::Pair& pair, PairCondition* copy) {
        const bool in_outage = pair.stats.runs().is_outage();
        *copy = {id, in_outage, pair.facts.IsUnresolved(in_outage)};
        return true;
      });
}

std::size_t ProbeRecorder::RenderMemory(const MetricsQuery& query) const {
  if (!query.pairs) return 0;
  // Of an ordinary pair, packed, with what the allocator adds.
  const std::size_t each = query.format == MetricsFormat::kText ? 160 : 256;
  std::size_t pairs = 0;
  for (Impl::Shard& shard : impl_->shards) {
    const MutexLock lock(shard.mutex);
    pairs += shard.pairs.size();
  }
  return pairs * each;
}

void ProbeRecorder::Render(const MetricsQuery& query,
                           const EchoTransportStats& transport,
                           const TextSink& sink) const {
  PieceWriter pieces(sink);
  const auto writer =
      CreateFamilyWriter(query.format, &pieces.text(), impl_->started);
  WritePairFamilies(impl_->PackPairs(query), query.omit | impl_->never,
                    impl_->shapes, *writer, &pieces);
  if (query.exporter) {
    impl_->exporter.Write(transport, ReadProcessStats(), *writer);
  }
  pieces.Flush();
}

std::optional<PairStatus> ProbeRecorder::RenderPair(PairId id,
                                                    const MetricsQuery& query,
                                                    std::string* text) const {
  const PairShapes& shapes = impl_->shapes;
  PairSnapshot snapshot{{}, PairStats(shapes), {}};
  snapshot.stats.ReserveAll(shapes);
  PairStatus status;
  status.id = id;
  {
    Impl::Shard& shard = impl_->ShardOf(id);
    const MutexLock lock(shard.mutex);
    const Impl::Pair* const pair = shard.pairs.Find(Impl::NumberInShard(id));
    if (pair == nullptr) return std::nullopt;
    snapshot.stats = pair->stats;
    snapshot.facts = pair->facts;
    status.labels = pair->labels();
  }
  snapshot.stats.CopyTo(&status.statistics);
  status.route = snapshot.facts.route;
  const auto writer = CreateFamilyWriter(query.format, text, impl_->started);
  PackedPairs packed(PartsIn(query.format));
  packed.push_back(snapshot);
  WritePairFamilies(packed, query.omit | impl_->never, shapes, *writer,
                    /*pieces=*/nullptr);
  return status;
}

}  // namespace echo_exporter
