#ifndef ECHO_EXPORTER_SRC_HTTP_PROBE_QUERY_H_
#define ECHO_EXPORTER_SRC_HTTP_PROBE_QUERY_H_

#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/on_demand_probe.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

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

#endif  // ECHO_EXPORTER_SRC_HTTP_PROBE_QUERY_H_
