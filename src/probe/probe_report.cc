#include "src/probe/probe_report.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "echo_exporter/family_writer.h"
#include "src/base/duration.h"
#include "src/base/json_writer.h"
#include "src/base/log.h"

namespace echo_exporter {

namespace {

/// A summary of the echoes of a probe.
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

/// Writes gauges, the only type of a probe's metrics.
class Gauges {
 public:
  explicit Gauges(FamilyWriter& writer) : writer_(writer) {}

  void Write(std::string_view name, std::string_view help, double value) {
    writer_.WriteSample({name, FamilyType::kGauge, help}, value);
  }

  /// Begins a family that Add() adds to, up to End().
  void Begin(std::string_view name, std::string_view help) {
    writer_.BeginFamily({name, FamilyType::kGauge, help});
  }
  void Add(const LabelView& label, double value) {
    writer_.AddSample({.labels = {&label, 1}}, value);
  }
  void End() { writer_.EndFamily(); }

 private:
  FamilyWriter& writer_;
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

void WriteDestination(const IpAddress& destination, Gauges* gauges) {
  gauges->Write(
      "probe_ip_addr_hash",
      "Specifies the hash of IP address. It's useful to detect if the "
      "IP address changes.",
      HashAddress(destination));
  gauges->Write("probe_ip_protocol",
                "Specifies whether probe ip protocol is IP4 or IP6",
                destination.is_v4() ? 4 : 6);
}

void WritePhases(const ProbeReport& report, const EchoSummary& summary,
                 Gauges* gauges) {
  gauges->Begin("probe_icmp_duration_seconds",
                "Duration of icmp request by phase");
  if (report.resolve_time) {
    gauges->Add({"phase", "resolve"}, ToSeconds(*report.resolve_time));
  }
  if (summary.replies > 0) gauges->Add({"phase", "rtt"}, summary.mean_rtt);
  if (report.setup_time) {
    gauges->Add({"phase", "setup"}, ToSeconds(*report.setup_time));
  }
  gauges->End();
}

void WriteOutcomes(const EchoSummary& summary, Gauges* gauges) {
  gauges->Begin("probe_icmp_outcome", "Echo requests of this probe by outcome");
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    if (summary.outcomes[i] == 0) continue;
    gauges->Add({"outcome", EchoOutcomeName(static_cast<EchoOutcome>(i))},
                summary.outcomes[i]);
  }
  gauges->End();
}

void WritePacketCounts(std::size_t sent, const EchoSummary& summary,
                       Gauges* gauges) {
  gauges->Write("probe_icmp_packets_sent", "Echo requests sent by this probe",
                static_cast<double>(sent));
  gauges->Write("probe_icmp_packets_received",
                "Echo replies received by this probe", summary.replies);
  if (summary.replies == 0) return;
  gauges->Write("probe_icmp_rtt_min_seconds",
                "Shortest round-trip time of this probe in seconds",
                ToSeconds(summary.min_rtt));
  gauges->Write("probe_icmp_rtt_mean_seconds",
                "Mean round-trip time of this probe in seconds",
                summary.mean_rtt);
  gauges->Write("probe_icmp_rtt_max_seconds",
                "Longest round-trip time of this probe in seconds",
                ToSeconds(summary.max_rtt));
}

}  // namespace

std::string RenderProbeReport(const ProbeReport& report, MetricsFormat format) {
  const EchoSummary summary = Summarize(report.echoes);
  std::string text;
  const auto writer = CreateFamilyWriter(format, &text);
  Gauges gauges(*writer);
  if (report.resolve_time) {
    gauges.Write("probe_dns_lookup_time_seconds",
                 "Returns the time taken for probe dns lookup in seconds",
                 ToSeconds(*report.resolve_time));
  }
  gauges.Write("probe_duration_seconds",
               "Returns how long the probe took to complete in seconds",
               ToSeconds(report.duration));
  WritePhases(report, summary, &gauges);
  WriteOutcomes(summary, &gauges);
  if (report.count > 1) {
    WritePacketCounts(report.echoes.size(), summary, &gauges);
  }
  if (summary.reply_ttl) {
    gauges.Write("probe_icmp_reply_hop_limit",
                 "Replied packet hop limit (TTL for ipv4)", *summary.reply_ttl);
  }
  if (report.destination) WriteDestination(*report.destination, &gauges);
  gauges.Write("probe_success",
               "Displays whether or not the probe was a success",
               report.success ? 1 : 0);
  gauges.Write("probe_timeout_seconds",
               "Returns how long the probe timeout is in seconds",
               ToSeconds(report.timeout));
  return text;
}

std::string RenderProbeJson(const ProbeReport& report, WallTime now) {
  const EchoResult none;
  const bool is_sent = !report.echoes.empty();
  const EchoResult& echo = is_sent ? report.echoes.back() : none;
  std::optional<std::string> outcome;
  std::optional<std::string> responder;
  std::optional<double> rtt;
  std::optional<double> ttl;
  if (is_sent) outcome = EchoOutcomeName(echo.outcome);
  if (echo.responder) responder = echo.responder->ToString();
  if (echo.outcome == EchoOutcome::kReply) rtt = ToSeconds(echo.rtt);
  if (echo.reply_ttl) ttl = *echo.reply_ttl;
  std::string text;
  JsonWriter json(&text);
  json.Begin('{')
      .Field("time", FormatLogTime(now))
      .Field("outcome", outcome)
      .Field("rtt_seconds", rtt, 4)
      .Field("responder", responder)
      .Field("ttl", ttl);
  if (!is_sent && !report.log.empty()) json.Field("error", report.log.back());
  json.End('}');
  return text;
}

}  // namespace echo_exporter
