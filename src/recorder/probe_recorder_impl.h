#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "src/base/mutex.h"
#include "src/recorder/exporter_metrics.h"
#include "src/recorder/pair_families.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/prepared_labels.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {

/// What is counted is in probe_recorder.cc, what is read in recorder_views.cc.
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
  std::vector<PairStatus> Snapshot() const;
  std::size_t RenderMemory(const MetricsQuery& query) const;
  void Render(const MetricsQuery& query, const EchoTransportStats& transport,
              const TextSink& sink) const;
  std::optional<PairStatus> RenderPair(PairId id, const MetricsQuery& query,
                                       std::string* text) const;

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

}  // namespace echo_exporter
