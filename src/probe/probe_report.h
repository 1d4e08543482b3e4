#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/metrics_format.h"
#include "src/probe/probe_query.h"

namespace echo_exporter {

/// The results of an on-demand probe. Phases that were not reached are absent.
struct ProbeReport {
  bool success = false;
  std::optional<Nanoseconds> duration;  ///< of the whole probe
  Nanoseconds timeout{};                ///< for the whole probe
  std::optional<Nanoseconds> resolve_time;
  std::optional<Nanoseconds> setup_time;
  std::optional<IpAddress> destination;
  /// In the order of sending; fewer than requested when time ran out.
  std::vector<EchoResult> echoes;
  std::uint32_t count = 1;  ///< number of echo requests that were requested
  /// For debug=true: one line per event, without newline.
  std::vector<std::string> log;
};

/// `report` with the names and help texts of the blackbox_exporter's ICMP
/// probe; further series, of packets and of the minimum, mean and maximum RTT,
/// only when more than one echo was requested.
std::string RenderProbeReport(const ProbeReport& report,
                              MetricsFormat format = MetricsFormat::kText);

/// `metrics`, in the format of `query`, as its response; for debug=true between
/// the lines of `log` and the settings of the module.
HttpResponse MakeProbeResponse(const ProbeQuery& query,
                               const std::vector<std::string>& log,
                               std::string metrics, const ModuleConfig& module);

/// The same as a JSON object: "time" and, of the last echo, "outcome",
/// "rtt_seconds", "responder" and "ttl", which are null where there is none,
/// with "error", the last line of the log, if there was no echo at all.
std::string RenderProbeJson(const ProbeReport& report, WallTime now);

}  // namespace echo_exporter
