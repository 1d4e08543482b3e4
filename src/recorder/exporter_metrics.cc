#include "src/recorder/exporter_metrics.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "echo_exporter/version.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "src/base/duration.h"

namespace echo_exporter {

namespace {

using prometheus::Registry;

prometheus::Gauge& AddGauge(Registry& registry, const char* name,
                            const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(
      {});
}

/// One bucket a factor of two or so, from `lowest` up to ten seconds.
prometheus::Histogram& AddHistogram(Registry& registry, const char* name,
                                    const char* help, double lowest) {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const double bound :
       {1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05,
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0}) {
    if (bound >= lowest) bounds.push_back(bound);
  }
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(registry)
      .Add({}, bounds);
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

template <typename Value>
void AppendValue(const char* name, const char* help,
                 prometheus::MetricType type, const std::optional<Value>& value,
                 std::vector<prometheus::MetricFamily>* families) {
  if (!value) return;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = static_cast<double>(*value);
  } else {
    metric.gauge.value = static_cast<double>(*value);
  }
  families->push_back({name, help, type, {metric}});
}

void AppendTransportFamilies(const EchoTransportStats& stats,
                             std::vector<prometheus::MetricFamily>* families) {
  prometheus::MetricFamily info{
      "echo_exporter_transport_info",
      "Always 1; its labels tell how echo requests are sent.",
      prometheus::MetricType::Gauge,
      {}};
  const auto add = [&](const char* version, const std::string& mechanism) {
    if (mechanism.empty()) return;
    prometheus::ClientMetric metric;
    metric.label = {{"ip_version", version}, {"mechanism", mechanism}};
    metric.gauge.value = 1;
    info.metric.push_back(std::move(metric));
  };
  add("4", stats.ipv4_mechanism);
  add("6", stats.ipv6_mechanism);
  if (!info.metric.empty()) families->push_back(std::move(info));
  AppendValue("echo_exporter_foreign_replies_total",
              "Echo replies received that belong to no request of this "
              "process, or are damaged beyond recognition.",
              prometheus::MetricType::Counter, stats.foreign_replies, families);
  AppendValue("echo_exporter_receive_drops_total",
              "Packets that the kernel dropped because this process did not "
              "read them in time: losses that are not the network's.",
              prometheus::MetricType::Counter, stats.receive_drops, families);
}

/// The names and help texts that all Prometheus client libraries share.
void AppendProcessFamilies(const ProcessStats& stats,
                           std::vector<prometheus::MetricFamily>* families) {
  constexpr auto kCounter = prometheus::MetricType::Counter;
  constexpr auto kGauge = prometheus::MetricType::Gauge;
  AppendValue("process_cpu_seconds_total",
              "Total user and system CPU time spent in seconds.", kCounter,
              stats.cpu_seconds, families);
  AppendValue("process_resident_memory_bytes", "Resident memory size in bytes.",
              kGauge, stats.resident_memory_bytes, families);
  AppendValue("process_virtual_memory_bytes", "Virtual memory size in bytes.",
              kGauge, stats.virtual_memory_bytes, families);
  AppendValue("process_open_fds", "Number of open file descriptors.", kGauge,
              stats.open_handles, families);
  AppendValue("process_max_fds", "Maximum number of open file descriptors.",
              kGauge, stats.max_handles, families);
  AppendValue("process_start_time_seconds",
              "Start time of the process since unix epoch in seconds.", kGauge,
              stats.start_time_seconds, families);
}

}  // namespace

ExporterMetrics::ExporterMetrics()
    : config_successful_(
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
      pairs_(AddGauge(registry_, "echo_exporter_pairs",
                      "Configured pairs of source and destination.")),
      schedule_lag_(AddHistogram(
          registry_, "echo_exporter_schedule_lag_seconds",
          "How late echo requests were dispatched in seconds.", 1e-4)),
      completion_delay_(AddHistogram(
          registry_, "echo_exporter_completion_delay_seconds",
          "How long after their arrival echo replies were seen in seconds; not "
          "part of the round-trip time.",
          1e-5)),
      resolve_failures_(prometheus::BuildCounter()
                            .Name("echo_exporter_resolve_failures_total")
                            .Help("Failed lookups of host names and adapters.")
                            .Register(registry_)
                            .Add({})),
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

void ExporterMetrics::RecordScheduleLag(Nanoseconds lag) {
  schedule_lag_.Observe(ToSeconds(lag));
}

void ExporterMetrics::RecordCompletionDelay(Nanoseconds delay) {
  completion_delay_.Observe(ToSeconds(delay));
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

void ExporterMetrics::RecordConfigLoad(bool successful, WallTime now) {
  config_successful_.Set(successful ? 1 : 0);
  if (!successful) return;
  config_success_time_.Set(
      std::chrono::duration<double>(now.time_since_epoch()).count());
}

void ExporterMetrics::RecordWebConfigLoad(bool successful) {
  web_config_successful_.Add({}).Set(successful ? 1 : 0);
}

std::string ExporterMetrics::Render(const EchoTransportStats& transport,
                                    const ProcessStats& process) const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  AppendTransportFamilies(transport, &families);
  AppendProcessFamilies(process, &families);
  // The registry keeps a family's series in the order of their hashes.
  for (prometheus::MetricFamily& family : families) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace echo_exporter
