#include "src/recorder/pair_families.h"

#include <array>
#include <cstddef>

#include "echo_exporter/echo.h"

namespace echo_exporter {
namespace {

constexpr auto kCounter = FamilyType::kCounter;
constexpr auto kGauge = FamilyType::kGauge;

constexpr Family kRequests{"icmp_echo_requests_total", kCounter,
                           "ICMP echo requests attempted."};
constexpr Family kOutcomes{
    "icmp_echo_outcomes_total", kCounter,
    "Finished ICMP echo requests by outcome: exactly one each."};
constexpr Family kInFlight{"icmp_echo_in_flight", kGauge,
                           "ICMP echo requests without outcome yet."};
constexpr Family kLateReplies{
    "icmp_echo_late_replies_total", kCounter,
    "ICMP echo replies to requests that had timed out or failed."};
constexpr Family kDuplicateReplies{
    "icmp_echo_duplicate_replies_total", kCounter,
    "Further ICMP echo replies to requests that had theirs."};
constexpr Family kFlowRenewals{
    "icmp_echo_flow_renewals_total", kCounter,
    "Changes of the ICMP identifier after losses in a row."};
constexpr Family kRtt{"icmp_echo_rtt_seconds", FamilyType::kHistogram,
                      "Round-trip time of ICMP echo replies in seconds."};
constexpr Family kLastRtt{
    "icmp_echo_last_rtt_seconds", kGauge,
    "Round-trip time of the last ICMP echo reply in seconds; absent unless "
    "icmp_echo_up is 1."};
constexpr Family kJitter{
    "icmp_echo_jitter_seconds", kGauge,
    "Smoothed difference of the round-trip times of successive ICMP echo "
    "replies in seconds (RFC 3550 section 6.4.1)."};
constexpr Family kReplyTtl{"icmp_echo_reply_ttl", kGauge,
                           "TTL or hop limit of the last ICMP echo reply."};
constexpr Family kUp{"icmp_echo_up", kGauge,
                     "1 if the last outcome that was not of the exporter's own "
                     "host (no_resources, suspended) was a reply, else 0."};
constexpr Family kPairInfo{
    "icmp_echo_pair_info", kGauge,
    "Always 1; its labels tell the addresses in use now."};

class Families {
 public:
  Families(std::span<const PairSnapshot> pairs, PairFamilyWriter& writer)
      : pairs_(pairs), writer_(writer) {}

  /// A family whose series, if any, are added by `add(pair)`.
  template <typename AddSeries>
  void Write(const Family& family, const AddSeries& add) {
    writer_.BeginFamily(family);
    for (const PairSnapshot& pair : pairs_) {
      add(pair);
      if (!writer_.Continue()) break;
    }
    writer_.EndFamily();
  }

  /// At most one number per pair: the result of `number_of(stats)`, if present.
  template <typename NumberOf>
  void WriteNumbers(const Family& family, const NumberOf& number_of) {
    Write(family, [&](const PairSnapshot& pair) {
      const std::optional<std::uint64_t> number = number_of(pair.stats);
      if (number) writer_.AddNumber(pair, {}, *number);
    });
  }

  /// The same for durations.
  template <typename DurationOf>
  void WriteDurations(const Family& family, const DurationOf& duration_of) {
    Write(family, [&](const PairSnapshot& pair) {
      const std::optional<Nanoseconds> duration = duration_of(pair.stats);
      if (duration) writer_.AddSeconds(pair, *duration);
    });
  }

 private:
  const std::span<const PairSnapshot> pairs_;
  PairFamilyWriter& writer_;
};

void AddOutcomes(const PairSnapshot& pair, PairFamilyWriter& writer) {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    const auto outcome = static_cast<EchoOutcome>(i);
    const std::uint64_t count = pair.stats.outcomes(outcome);
    const bool always =
        outcome == EchoOutcome::kReply || outcome == EchoOutcome::kTimeout;
    if (count == 0 && !always) continue;
    const std::array<LabelView, 1> more{
        {{"outcome", EchoOutcomeName(outcome)}}};
    writer.AddNumber(pair, more, count);
  }
}

void AddPairInfo(const PairSnapshot& pair, PairFamilyWriter& writer) {
  if (!pair.route) return;
  const Route& route = *pair.route;
  const std::string source = route.source ? route.source->ToString() : "";
  const std::string destination = route.destination.ToString();
  const std::array<LabelView, 3> more{
      {{"source_address", source},
       {"destination_address", destination},
       {"ip_version", route.destination.is_v4() ? "4" : "6"}}};
  writer.AddNumber(pair, more, 1);
}

}  // namespace

void WritePairFamilies(std::span<const PairSnapshot> pairs, bool stray_replies,
                       bool flow_renewals, PairFamilyWriter& writer) {
  Families families(pairs, writer);
  families.WriteNumbers(kRequests, [](const auto& s) { return s.requests(); });
  families.Write(kOutcomes, [&](const auto& p) { AddOutcomes(p, writer); });
  families.WriteNumbers(kInFlight, [](const auto& s) { return s.in_flight(); });
  if (stray_replies) {
    families.WriteNumbers(kLateReplies, [](const auto& s) {
      return s.stray_replies(StrayReply::kLate);
    });
    families.WriteNumbers(kDuplicateReplies, [](const auto& s) {
      return s.stray_replies(StrayReply::kDuplicate);
    });
  }
  if (flow_renewals) {
    families.WriteNumbers(kFlowRenewals,
                          [](const auto& s) { return s.flow_renewals(); });
  }
  families.Write(kRtt, [&](const auto& p) { writer.AddRttHistogram(p); });
  families.WriteDurations(kLastRtt, [](const auto& s) { return s.last_rtt(); });
  families.WriteDurations(kJitter, [](const auto& s) { return s.jitter(); });
  families.WriteNumbers(kReplyTtl, [](const auto& s) { return s.reply_ttl(); });
  families.WriteNumbers(kUp, [](const auto& s) { return s.up(); });
  families.Write(kPairInfo, [&](const auto& p) { AddPairInfo(p, writer); });
}

}  // namespace echo_exporter
