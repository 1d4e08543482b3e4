#include "src/recorder/exporter_metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "echo_exporter/version.h"
#include "prometheus/metric_family.h"
#include "src/base/duration.h"

namespace echo_exporter {

namespace {

using prometheus::Registry;

prometheus::Gauge& AddGauge(Registry& registry, const char* name,
                            const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(
      {});
}

/// At a factor of about two, from `lowest` up to ten seconds.
std::vector<double> Bounds(double lowest) {
  std::vector<double> bounds;
  for (const double bound :
       {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05,
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0}) {
    if (bound >= lowest) bounds.push_back(bound);
  }
  return bounds;
}

const char* MissReasonName(MissReason reason) {
  switch (reason) {
    case MissReason::kLate:
      return "late";
    case MissReason::kMaxInFlight:
      return "max_in_flight";
    case MissReason::kUnresolved:
      break;
  }
  return "unresolved";
}

/// The registry contains only counters and gauges. It keeps a family's series
/// in the order of their hashes; they are written in the order of their labels.
void WriteFamily(prometheus::MetricFamily family, FamilyWriter& writer) {
  std::sort(family.metric.begin(), family.metric.end(),
            [](const auto& a, const auto& b) { return a.label < b.label; });
  const bool counts = family.type == prometheus::MetricType::Counter;
  writer.BeginFamily({family.name,
                      counts ? FamilyType::kCounter : FamilyType::kGauge,
                      family.help});
  for (const prometheus::ClientMetric& metric : family.metric) {
    std::vector<LabelView> labels;
    for (const auto& label : metric.label) {
      labels.push_back({label.name, label.value});
    }
    writer.AddSample({.labels = labels},
                     counts ? metric.counter.value : metric.gauge.value);
  }
  writer.EndFamily();
}

double SecondsSinceEpoch(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

template <typename Value>
void WriteValue(const Family& family, const std::optional<Value>& value,
                FamilyWriter& writer) {
  if (value) writer.WriteSample(family, static_cast<double>(*value));
}

void WriteTransportFamilies(const EchoTransportStats& stats,
                            FamilyWriter& writer) {
  writer.BeginFamily({"echo_exporter_transport_info", FamilyType::kGauge,
                      "Always 1; its labels tell how echo requests are sent."});
  const auto add = [&](std::string_view version, const std::string& mechanism) {
    if (mechanism.empty()) return;
    const std::array<LabelView, 2> labels{
        {{"ip_version", version}, {"mechanism", mechanism}}};
    writer.AddSample({.labels = labels}, std::uint64_t{1});
  };
  add("4", stats.ipv4_mechanism);
  add("6", stats.ipv6_mechanism);
  writer.EndFamily();
  WriteValue({"echo_exporter_foreign_replies_total", FamilyType::kCounter,
              "Echo replies received that belong to no request of this "
              "process, or are damaged beyond recognition."},
             stats.foreign_replies, writer);
  WriteValue({"echo_exporter_receive_drops_total", FamilyType::kCounter,
              "Packets that the kernel dropped because this process did not "
              "read them in time: losses that are not the network's."},
             stats.receive_drops, writer);
}

/// The names and help texts that all Prometheus client libraries share.
void WriteProcessFamilies(const ProcessStats& stats, FamilyWriter& writer) {
  constexpr auto kCounter = FamilyType::kCounter;
  constexpr auto kGauge = FamilyType::kGauge;
  WriteValue({"process_cpu_seconds_total", kCounter,
              "Total user and system CPU time spent in seconds."},
             stats.cpu_seconds, writer);
  WriteValue({"process_resident_memory_bytes", kGauge,
              "Resident memory size in bytes."},
             stats.resident_memory_bytes, writer);
  WriteValue(
      {"process_virtual_memory_bytes", kGauge, "Virtual memory size in bytes."},
      stats.virtual_memory_bytes, writer);
  WriteValue({"process_open_fds", kGauge, "Number of open file descriptors."},
             stats.open_handles, writer);
  WriteValue(
      {"process_max_fds", kGauge, "Maximum number of open file descriptors."},
      stats.max_handles, writer);
  WriteValue({"process_start_time_seconds", kGauge,
              "Start time of the process since unix epoch in seconds."},
             stats.start_time_seconds, writer);
}

}  // namespace

TimeHistogram::TimeHistogram(double lowest, const HistogramOptions& options,
                             const Clock& clock)
    : shape_(HistogramShape::OfTimes(Bounds(lowest), options)),
      clock_(clock),
      histogram_(shape_, clock.WallNow()) {}

void TimeHistogram::Observe(Nanoseconds time) {
  const auto amount = std::max<std::int64_t>(time.count(), 0);
  const MutexLock lock(mutex_);
  histogram_.Observe(static_cast<std::uint64_t>(amount), shape_, clock_);
  seconds_ += ToSeconds(time);
}

void TimeHistogram::Write(const Family& family, FamilyWriter& writer) const {
  writer.BeginFamily(family);
  {
    const MutexLock lock(mutex_);
    writer.AddHistogram({.since = histogram_.since()},
                        histogram_.Value(shape_, seconds_));
  }
  writer.EndFamily();
}

ExporterMetrics::ExporterMetrics(const HistogramOptions& options,
                                 const Clock& clock)
    : clock_(clock),
      schedule_lag_(1e-4, options, clock),
      completion_delay_(1e-5, options, clock),
      config_successful_(
          AddGauge(registry_, "echo_exporter_config_last_reload_successful",
                   "Whether the last attempt to load the configuration was "
                   "successful.")),
      config_success_time_(AddGauge(
          registry_,
          "echo_exporter_config_last_reload_success_timestamp_seconds",
          "When the configuration was last loaded successfully, in seconds "
          "since unix epoch.")),
      web_config_successful_(
          prometheus::BuildGauge()
              .Name("echo_exporter_web_config_last_reload_successful")
              .Help("Whether the last attempt to load the web configuration "
                    "was successful; absent without one.")
              .Register(registry_)),
      certificate_expiry_(
          prometheus::BuildGauge()
              .Name("echo_exporter_tls_certificate_expiry_timestamp_seconds")
              .Help("When the first of the TLS certificates that are served "
                    "expires, in seconds since unix epoch; absent without "
                    "TLS.")
              .Register(registry_)),
      pairs_(AddGauge(registry_, "echo_exporter_pairs",
                      "Configured pairs of source and destination.")),
      continuous_pairs_(
          AddGauge(registry_, "echo_exporter_continuous_pairs",
                   "Pairs of continuous modules that somebody asks for.")),
      resolve_failures_(prometheus::BuildCounter()
                            .Name("echo_exporter_resolve_failures_total")
                            .Help("Failed lookups of host names and adapters.")
                            .Register(registry_)
                            .Add({})),
      stale_lookups_(AddGauge(
          registry_, "echo_exporter_stale_lookups",
          "Host names and adapters whose last lookup failed, so that what was "
          "found earlier stays in use.")),
      http_requests_(prometheus::BuildCounter()
                         .Name("echo_exporter_http_requests_total")
                         .Help("HTTP requests answered.")
                         .Register(registry_)) {
  prometheus::BuildGauge()
      .Name("echo_exporter_build_info")
      .Help("Always 1; its labels tell what this program was built from.")
      .Register(registry_)
      .Add({{"version", std::string(kVersion)},
            {"revision", std::string(kRevision)},
            {"compiler", std::string(kCompiler)}})
      .Set(1);
  auto& missed = prometheus::BuildCounter()
                     .Name("echo_exporter_schedule_missed_total")
                     .Help("Scheduled echo requests that were not sent.")
                     .Register(registry_);
  for (std::size_t i = 0; i < missed_.size(); ++i) {
    missed_[i] =
        &missed.Add({{"reason", MissReasonName(static_cast<MissReason>(i))}});
  }
}

void ExporterMetrics::RecordMissed(MissReason reason, std::uint64_t ticks) {
  missed_[static_cast<std::size_t>(reason)]->Increment(
      static_cast<double>(ticks));
}

void ExporterMetrics::RecordHttpRequest(std::string_view handler, int status) {
  http_requests_
      .Add(
          {{"handler", std::string(handler)}, {"code", std::to_string(status)}})
      .Increment();
}

void ExporterMetrics::RecordConfigLoad(bool successful) {
  config_successful_.Set(successful ? 1 : 0);
  if (!successful) return;
  config_success_time_.Set(SecondsSinceEpoch(clock_.WallNow()));
}

void ExporterMetrics::RecordWebConfigLoad(
    bool successful, const std::optional<WallTime>& expiry) {
  web_config_successful_.Add({}).Set(successful ? 1 : 0);
  if (expiry) certificate_expiry_.Add({}).Set(SecondsSinceEpoch(*expiry));
}

void ExporterMetrics::Write(const EchoTransportStats& transport,
                            const ProcessStats& process,
                            FamilyWriter& writer) const {
  for (prometheus::MetricFamily& family : registry_.Collect()) {
    WriteFamily(std::move(family), writer);
  }
  schedule_lag_.Write(
      {"echo_exporter_schedule_lag_seconds", FamilyType::kHistogram,
       "How late echo requests were dispatched in seconds."},
      writer);
  completion_delay_.Write(
      {"echo_exporter_completion_delay_seconds", FamilyType::kHistogram,
       "How long after their arrival echo replies were seen in seconds; not "
       "part of the round-trip time."},
      writer);
  WriteTransportFamilies(transport, writer);
  WriteDiscovery(writer);
  WriteProcessFamilies(process, writer);
}

void ExporterMetrics::WriteDiscovery(FamilyWriter& writer) const {
  DiscoveryStatus discovery;
  {
    const MutexLock lock(mutex_);
    discovery = discovery_;
  }
  const auto write = [&](const Family& family, auto value_of) {
    if (discovery.lists.empty()) return;
    writer.BeginFamily(family);
    for (const DiscoveryStatus::Lists& status : discovery.lists) {
      const std::array<LabelView, 2> labels{
          {{"group", status.group}, {"mechanism", status.mechanism}}};
      if (const auto value = value_of(status)) {
        writer.AddSample({.labels = labels}, *value);
      }
    }
    writer.EndFamily();
  };
  const auto number = [](std::uint64_t value) { return std::optional(value); };
  const auto time = [](const std::optional<WallTime>& value) {
    return value ? std::optional(SecondsSinceEpoch(*value)) : std::nullopt;
  };
  write({"echo_exporter_sd_targets", FamilyType::kGauge,
         "Targets in the lists that are in use."},
        [&](const auto& status) { return number(status.targets); });
  write({"echo_exporter_sd_rejected_targets", FamilyType::kGauge,
         "Entries of these lists that are no valid targets."},
        [&](const auto& status) { return number(status.rejected); });
  write({"echo_exporter_sd_refresh_failures_total", FamilyType::kCounter,
         "Looks at a target list that found none, or one that cannot be used."},
        [&](const auto& status) { return number(status.refresh_failures); });
  write({"echo_exporter_sd_last_success_timestamp_seconds", FamilyType::kGauge,
         "When the list that was found good longest ago was last found good, "
         "in seconds since unix epoch; absent while one never was."},
        [&](const auto& status) { return time(status.last_success); });
  write({"echo_exporter_sd_last_change_timestamp_seconds", FamilyType::kGauge,
         "When a list last changed, in seconds since unix epoch."},
        [&](const auto& status) { return time(status.last_change); });
  if (discovery.neighbours.empty()) return;
  writer.BeginFamily({"echo_exporter_sd_neighbours_skipped", FamilyType::kGauge,
                      "Targets of a group that are left to its other agents."});
  for (const DiscoveryStatus::Neighbours& status : discovery.neighbours) {
    const std::array<LabelView, 1> labels{{{"group", status.group}}};
    writer.AddSample({.labels = labels}, status.skipped);
  }
  writer.EndFamily();
}

}  // namespace echo_exporter
