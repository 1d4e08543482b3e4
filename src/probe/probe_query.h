#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/metrics_format.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// A parsed request to /probe, not yet checked against the configuration.
struct ProbeQuery {
  std::string target;                 ///< an address or a host name, not empty
  std::string module = "icmp";        ///< key of ExporterConfig::modules
  std::optional<std::string> source;  ///< overrides the module's source
  std::uint32_t count = 1;            ///< echo requests, 1 .. 100
  bool debug = false;                 ///< respond with a readable log
  /// Unless it is readable.
  MetricsFormat format = MetricsFormat::kText;
  /// Of a pair, instead of the module's; the response is JSON then.
  std::optional<EchoSettings> pair_echo;
  std::optional<IpAddress> client;  ///< absent: unknown
  /// Prometheus's own limit, from X-Prometheus-Scrape-Timeout-Seconds.
  std::optional<Nanoseconds> scrape_timeout;
};

/// Parses a request to /probe: `query` is the part of the address after "?",
/// still percent-encoded; `scrape_timeout` is the value of the header
/// X-Prometheus-Scrape-Timeout-Seconds.
///
/// Like the blackbox_exporter, it accepts and ignores `hostname`, and an empty
/// `module` is the default one. Anything else that is invalid is rejected with
/// a printable sentence that names the allowed values. Never throws, whatever
/// the input. Pure.
Result<ProbeQuery> ParseProbeQuery(
    std::string_view query, const std::optional<std::string>& scrape_timeout);

/// One echo request as a pair of a group, or of a continuous module, sends
/// them. Absent when `config` has no such pair. Pure.
std::optional<ProbeQuery> QueryOfPair(const ExporterConfig& config,
                                      const PairLabels& labels);

}  // namespace echo_exporter
