#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "echo_exporter/family_writer.h"

namespace echo_exporter {

/// The families of pairs, in the order in which they are exposed.
enum class PairFamily : std::uint8_t {
  kRequests,
  kOutcomes,
  kInFlight,
  kLateReplies,
  kDuplicateReplies,
  kFlowRenewals,
  kRtt,
  kLastRtt,
  kLastReply,
  kJitter,
  kReplyTtl,
  kUp,
  kUpChanged,
  kConsecutiveFailures,
  kOutages,
  kOutageSeconds,
  kRunLength,
  kInterval,
  kResolved,
  kPairInfo,
};

/// By PairFamily.
inline constexpr std::array<Family, 20> kPairFamilies{{
    {"icmp_echo_requests_total", FamilyType::kCounter,
     "ICMP echo requests attempted."},
    {"icmp_echo_outcomes_total", FamilyType::kCounter,
     "Finished ICMP echo requests by outcome: exactly one each."},
    {"icmp_echo_in_flight", FamilyType::kGauge,
     "ICMP echo requests without outcome yet."},
    {"icmp_echo_late_replies_total", FamilyType::kCounter,
     "ICMP echo replies to requests that had timed out or failed."},
    {"icmp_echo_duplicate_replies_total", FamilyType::kCounter,
     "Further ICMP echo replies to requests that had theirs."},
    {"icmp_echo_flow_renewals_total", FamilyType::kCounter,
     "Changes of the ICMP identifier after losses in a row."},
    {"icmp_echo_rtt_seconds", FamilyType::kHistogram,
     "Round-trip time of ICMP echo replies in seconds."},
    {"icmp_echo_last_rtt_seconds", FamilyType::kGauge,
     "Round-trip time of the last ICMP echo reply in seconds; absent unless "
     "icmp_echo_up is 1."},
    {"icmp_echo_last_reply_timestamp_seconds", FamilyType::kGauge,
     "When the last ICMP echo reply came, in seconds since 1970; absent "
     "before."},
    {"icmp_echo_jitter_seconds", FamilyType::kGauge,
     "Smoothed difference of the round-trip times of successive ICMP echo "
     "replies in seconds (RFC 3550 section 6.4.1)."},
    {"icmp_echo_reply_ttl", FamilyType::kGauge,
     "TTL or hop limit of the last ICMP echo reply."},
    {"icmp_echo_up", FamilyType::kGauge,
     "1 if the last outcome that was not of the exporter's own host "
     "(no_resources, suspended) was a reply, else 0; absent before the "
     "first."},
    {"icmp_echo_up_changed_timestamp_seconds", FamilyType::kGauge,
     "When icmp_echo_up last changed, in seconds since 1970; absent before."},
    {"icmp_echo_consecutive_failures", FamilyType::kGauge,
     "ICMP echo requests lost since the last reply, in the order of sending."},
    {"icmp_echo_outages_total", FamilyType::kCounter,
     "Runs of lost ICMP echo requests that reached outage_after."},
    {"icmp_echo_outage_seconds_total", FamilyType::kCounter,
     "Time in such runs in seconds, from the sending of the first lost request "
     "to the sending of the first answered one."},
    {"icmp_echo_failure_run_length", FamilyType::kHistogram,
     "Lengths of finished runs of lost ICMP echo requests."},
    {"icmp_echo_interval_seconds", FamilyType::kGauge,
     "Time between the ICMP echo requests of the pair in seconds."},
    {"icmp_echo_resolved", FamilyType::kGauge,
     "1 if the destination, a name, has an address that can be probed, else 0; "
     "absent for addresses."},
    {"icmp_echo_pair_info", FamilyType::kGauge,
     "Always 1; its labels tell the addresses in use now."},
}};

/// By PairFamily.
using PairFamilySet = std::bitset<kPairFamilies.size()>;

constexpr std::size_t IndexOf(PairFamily family) {
  return static_cast<std::size_t>(family);
}

/// Whether a configuration may leave it out: not the two that loss follows
/// from.
constexpr bool CanBeOmitted(PairFamily family) {
  return family != PairFamily::kRequests && family != PairFamily::kOutcomes;
}

}  // namespace echo_exporter
