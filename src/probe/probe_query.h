#ifndef ECHO_EXPORTER_SRC_PROBE_PROBE_QUERY_H_
#define ECHO_EXPORTER_SRC_PROBE_PROBE_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// What a request to /probe asks for, as far as its text alone can tell.
struct ProbeQuery {
  std::string target;                 ///< an address or a host name, not empty
  std::string module = "icmp";        ///< key of ExporterConfig::modules
  std::optional<std::string> source;  ///< overrides the module's source
  std::uint32_t count = 1;            ///< echo requests, 1 .. 100
  bool debug = false;                 ///< answer with a readable log
  std::optional<IpAddress> client;    ///< who asks, as far as it is known
  /// Prometheus's own patience, from X-Prometheus-Scrape-Timeout-Seconds.
  std::optional<Nanoseconds> scrape_timeout;
};

/// Reads what a client asks of /probe: `query` is what stands behind "?" in
/// the address, still percent-encoded; `scrape_timeout` is the value of the
/// header X-Prometheus-Scrape-Timeout-Seconds.
///
/// As the blackbox_exporter does, it accepts `hostname` without a meaning,
/// and takes an empty `module` for the default one. What it does not
/// understand it refuses with a printable sentence that names what is allowed.
/// Any input gives a query or an error. Pure.
Result<ProbeQuery> ParseProbeQuery(
    std::string_view query, const std::optional<std::string>& scrape_timeout);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_PROBE_PROBE_QUERY_H_
