#include "src/app/restart_settings.h"

#include <algorithm>
#include <cstdint>

namespace echo_exporter {

void KeepUntilRestart(const ExporterConfig& now, ExporterConfig* next,
                      std::vector<std::string>* notes) {
  const auto keep = [notes](const auto& old, auto& value, const char* key) {
    if (old == value) return;
    value = old;
    notes->push_back(std::string(key) +
                     ": changed, but takes effect only "
                     "after a restart");
  };
  keep(now.listen_addresses, next->listen_addresses, "web.listen_addresses");
  keep(now.histograms.rtt_buckets, next->histograms.rtt_buckets,
       "metrics.rtt_buckets");
  keep(now.histograms.native_factor, next->histograms.native_factor,
       "metrics.native_factor");
  keep(now.histograms.native_max_buckets, next->histograms.native_max_buckets,
       "metrics.native_max_buckets");
  // What follows from the pairs only matters when there is too little.
  if (now.max_in_flight_is_default && next->max_in_flight_is_default) {
    next->max_in_flight = std::max(now.max_in_flight, next->max_in_flight);
  }
  keep(now.max_in_flight, next->max_in_flight, "engine.max_in_flight");
  keep(now.probe.requests_per_second, next->probe.requests_per_second,
       "probe.requests_per_second");
  keep(now.probe.burst, next->probe.burst, "probe.burst");
  keep(now.drain_timeout, next->drain_timeout, "engine.drain_timeout");
  keep(now.state_dir, next->state_dir, "discovery.state_dir");
}

std::size_t MaxInFlight(const ExporterConfig& effective, bool discovers) {
  const bool grows =
      discovers ||
      std::ranges::any_of(effective.modules, [](const auto& module) {
        return module.second.mode == ModuleConfig::Mode::kContinuous;
      });
  if (!effective.max_in_flight_is_default || !grows) {
    return effective.max_in_flight;
  }
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(
      InFlightInSilence(effective) * 3, 32'768, 1'000'000));
}

void RoomLog::Look(const ExporterConfig& effective, std::size_t most) {
  const std::uint64_t needed = InFlightInSilence(effective);
  if (needed > most) {
    crowded_.Report(std::to_string(most), std::to_string(needed));
  } else {
    crowded_.End(std::to_string(most));
  }
}

bool LosesAllPairs(const ExporterConfig& effective,
                   const ExporterConfig& next) {
  return !effective.pairs.empty() && next.pairs.empty() &&
         std::ranges::none_of(next.groups, &GroupConfig::HasLists);
}

}  // namespace echo_exporter
