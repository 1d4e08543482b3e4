#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "echo_exporter/on_demand_probe.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "src/base/duration.h"

namespace echo_exporter {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

/// What the echoes of a probe amount to.
struct EchoSummary {
  std::array<int, kEchoOutcomeCount> outcomes{};
  int replies = 0;
  Nanoseconds min_rtt = Nanoseconds::max();
  Nanoseconds max_rtt{};
  double mean_rtt = 0;  ///< seconds
  std::optional<std::uint8_t> reply_ttl;
};

EchoSummary Summarize(const std::vector<EchoResult>& echoes) {
  EchoSummary summary;
  Nanoseconds sum{};
  for (const EchoResult& echo : echoes) {
    ++summary.outcomes[static_cast<std::size_t>(echo.outcome)];
    if (echo.outcome != EchoOutcome::kReply) continue;
    ++summary.replies;
    sum += echo.rtt;
    summary.min_rtt = std::min(summary.min_rtt, echo.rtt);
    summary.max_rtt = std::max(summary.max_rtt, echo.rtt);
    summary.reply_ttl = echo.reply_ttl;
  }
  if (summary.replies > 0) {
    summary.mean_rtt = ToSeconds(sum) / summary.replies;
  }
  return summary;
}

/// Collects gauges, which is all that a probe has.
class Gauges {
 public:
  void Add(const char* name, const char* help, double value) {
    AddFamily(name, help);
    AddValue({}, value);
  }

  /// Begins a family that AddValue() adds to.
  void AddFamily(const char* name, const char* help) {
    families_.push_back({name, help, prometheus::MetricType::Gauge, {}});
  }

  void AddValue(std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }

  std::string ToText() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  std::vector<MetricFamily> families_;
};

/// FNV-1a over the 4 or 16 bytes of the address, as the blackbox_exporter does.
std::uint32_t HashAddress(const IpAddress& address) {
  const std::span<const std::uint8_t> bytes(address.bytes().data(),
                                            address.is_v4() ? 4 : 16);
  std::uint32_t hash = 2166136261;
  for (const std::uint8_t byte : bytes) {
    hash ^= byte;
    hash *= 16777619;
  }
  return hash;
}

void AddDestination(const IpAddress& destination, Gauges* gauges) {
  gauges->Add("probe_ip_addr_hash",
              "Specifies the hash of IP address. It's useful to detect if the "
              "IP address changes.",
              HashAddress(destination));
  gauges->Add("probe_ip_protocol",
              "Specifies whether probe ip protocol is IP4 or IP6",
              destination.is_v4() ? 4 : 6);
}

void AddPhases(const ProbeReport& report, const EchoSummary& summary,
               Gauges* gauges) {
  if (!report.resolve_time && !report.setup_time && summary.replies == 0) {
    return;
  }
  gauges->AddFamily("probe_icmp_duration_seconds",
                    "Duration of icmp request by phase");
  if (report.resolve_time) {
    gauges->AddValue({{"phase", "resolve"}}, ToSeconds(*report.resolve_time));
  }
  if (summary.replies > 0) {
    gauges->AddValue({{"phase", "rtt"}}, summary.mean_rtt);
  }
  if (report.setup_time) {
    gauges->AddValue({{"phase", "setup"}}, ToSeconds(*report.setup_time));
  }
}

void AddOutcomes(const EchoSummary& summary, Gauges* gauges) {
  gauges->AddFamily("probe_icmp_outcome",
                    "Echo requests of this probe by outcome");
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    if (summary.outcomes[i] == 0) continue;
    const auto name = EchoOutcomeName(static_cast<EchoOutcome>(i));
    gauges->AddValue({{"outcome", std::string(name)}}, summary.outcomes[i]);
  }
}

void AddPacketCounts(std::size_t sent, const EchoSummary& summary,
                     Gauges* gauges) {
  gauges->Add("probe_icmp_packets_sent", "Echo requests sent by this probe",
              static_cast<double>(sent));
  gauges->Add("probe_icmp_packets_received",
              "Echo replies received by this probe", summary.replies);
  if (summary.replies == 0) return;
  gauges->Add("probe_icmp_rtt_min_seconds",
              "Shortest round-trip time of this probe in seconds",
              ToSeconds(summary.min_rtt));
  gauges->Add("probe_icmp_rtt_mean_seconds",
              "Mean round-trip time of this probe in seconds",
              summary.mean_rtt);
  gauges->Add("probe_icmp_rtt_max_seconds",
              "Longest round-trip time of this probe in seconds",
              ToSeconds(summary.max_rtt));
}

}  // namespace

std::string RenderProbeReport(const ProbeReport& report) {
  const EchoSummary summary = Summarize(report.echoes);
  Gauges gauges;
  if (report.resolve_time) {
    gauges.Add("probe_dns_lookup_time_seconds",
               "Returns the time taken for probe dns lookup in seconds",
               ToSeconds(*report.resolve_time));
  }
  gauges.Add("probe_duration_seconds",
             "Returns how long the probe took to complete in seconds",
             ToSeconds(report.duration));
  AddPhases(report, summary, &gauges);
  if (!report.echoes.empty()) AddOutcomes(summary, &gauges);
  if (report.count > 1) {
    AddPacketCounts(report.echoes.size(), summary, &gauges);
  }
  if (summary.reply_ttl) {
    gauges.Add("probe_icmp_reply_hop_limit",
               "Replied packet hop limit (TTL for ipv4)", *summary.reply_ttl);
  }
  if (report.destination) AddDestination(*report.destination, &gauges);
  gauges.Add("probe_success", "Displays whether or not the probe was a success",
             report.success ? 1 : 0);
  gauges.Add("probe_timeout_seconds",
             "Returns how long the probe timeout is in seconds",
             ToSeconds(report.timeout));
  return gauges.ToText();
}

}  // namespace echo_exporter
