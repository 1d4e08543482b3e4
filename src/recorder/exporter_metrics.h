#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/family_writer.h"
#include "echo_exporter/metrics_options.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/probe_recorder.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "src/base/mutex.h"
#include "src/base/process_stats.h"
#include "src/recorder/histogram.h"

namespace echo_exporter {

/// A histogram of times without labels; unlike those of prometheus-cpp, with
/// native buckets.
///
/// Thread-safe.
class TimeHistogram {
 public:
  /// `lowest`: the lowest bound of its classic buckets, from 10 us to 10 s.
  TimeHistogram(double lowest, const HistogramOptions& options,
                const Clock& clock);

  void Observe(Nanoseconds time);
  void Write(const Family& family, FamilyWriter& writer) const;

 private:
  const HistogramShape shape_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Histogram histogram_ GUARDED_BY(mutex_);
  double seconds_ GUARDED_BY(mutex_) = 0;  ///< in total
};

/// The families about the exporter itself: echo_exporter_* and process_*.
///
/// Thread-safe.
class ExporterMetrics {
 public:
  /// `clock` must outlive this.
  ExporterMetrics(const HistogramOptions& options, const Clock& clock);

  void AddPair(const PairLabels& labels) { PairsLike(labels).Increment(); }
  void RemovePair(const PairLabels& labels) { PairsLike(labels).Decrement(); }
  void RecordScheduleLag(Nanoseconds lag) { schedule_lag_.Observe(lag); }
  void RecordCompletionDelay(Nanoseconds delay) {
    completion_delay_.Observe(delay);
  }
  void RecordMissed(MissReason reason, std::uint64_t ticks);
  void RecordResolveFailure() { resolve_failures_.Increment(); }
  void SetStaleLookups(std::size_t count) {
    stale_lookups_.Set(static_cast<double>(count));
  }
  void RecordHttpRequest(std::string_view handler, int status);
  void RecordConfigLoad(bool successful);
  void RecordWebConfigLoad(bool successful,
                           const std::optional<WallTime>& expiry);

  void SetDiscovery(DiscoveryStatus status) {
    const MutexLock lock(mutex_);
    discovery_ = std::move(status);
  }

  /// Writes all of them; values missing in `transport` or `process` are absent.
  void Write(const EchoTransportStats& transport, const ProcessStats& process,
             FamilyWriter& writer) const;

 private:
  void WriteDiscovery(FamilyWriter& writer) const;

  prometheus::Gauge& PairsLike(const PairLabels& labels) {
    return labels.of_module ? continuous_pairs_ : pairs_;
  }

  const Clock& clock_;
  TimeHistogram schedule_lag_;
  TimeHistogram completion_delay_;
  prometheus::Registry registry_;

  // Owned by `registry_`.
  prometheus::Gauge& config_successful_;
  prometheus::Gauge& config_success_time_;
  prometheus::Family<prometheus::Gauge>& web_config_successful_;
  prometheus::Family<prometheus::Gauge>& certificate_expiry_;
  prometheus::Gauge& pairs_;
  prometheus::Gauge& continuous_pairs_;
  std::array<prometheus::Counter*, kMissReasonCount> missed_{};
  prometheus::Counter& resolve_failures_;
  prometheus::Gauge& stale_lookups_;
  prometheus::Family<prometheus::Counter>& http_requests_;

  mutable Mutex mutex_;
  DiscoveryStatus discovery_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
