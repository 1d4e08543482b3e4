#include "src/probe/continuous_pairs.h"

#include <algorithm>
#include <utility>

#include "src/base/duration.h"
#include "src/base/host_name.h"
#include "src/base/log.h"
#include "src/probe/probe_report.h"

namespace echo_exporter {
namespace {

constexpr auto kContinuous = ModuleConfig::Mode::kContinuous;

// How often requests beyond the limit look for pairs that may end.
constexpr Nanoseconds kLookSpacing = std::chrono::seconds(1);

// Once a request was refused, a pair ends no earlier than after the shortest
// `keep`.
constexpr Nanoseconds kRetryAfter = std::chrono::seconds(10);

PairLabels LabelsOf(const std::array<std::string, 3>& key) {
  return {.group = key[0],
          .source = key[1],
          .destination = key[2],
          .extra = {},
          .of_module = true};
}

DestinationConfig DestinationOf(const std::string& name,
                                const ProbeTarget& target) {
  DestinationConfig destination{.name = name, .address = {}};
  if (target.address) {
    destination.address = target.address->address;
    destination.zone = target.address->zone;
  }
  return destination;
}

ProbeReport ReportOf(const PairStatus& pair, const ModuleConfig& module) {
  const PairStatistics& statistics = pair.statistics;
  ProbeReport report;
  report.timeout = module.echo.timeout;
  if (pair.route) report.destination = pair.route->destination;
  // A reply says nothing of a target that has no address any more.
  if (!statistics.last_outcome || (statistics.up && !pair.route)) return report;
  report.success = statistics.up;
  report.duration = statistics.last_rtt;
  EchoResult& last = report.echoes.emplace_back();
  last.outcome = *statistics.last_outcome;
  last.rtt = statistics.last_rtt.value_or(Nanoseconds::zero());
  last.reply_ttl = statistics.reply_ttl;
  return report;
}

std::vector<std::string> LinesOn(const PairStatus& pair,
                                 const ModuleConfig& module) {
  const PairStatistics& statistics = pair.statistics;
  const auto& last = statistics.last_outcome;
  return {"pair of module " + pair.labels->group + ": " + pair.labels->source +
              " -> " + pair.labels->destination,
          "probed every " + FormatDuration(module.interval) +
              " until nobody asks for " + FormatDuration(module.keep),
          pair.route ? "address: " + pair.route->destination.ToString()
                     : "no address that can be probed (yet)",
          std::to_string(statistics.requests) + " requests, " +
              std::to_string(statistics.in_flight) + " in flight, last: " +
              std::string(last ? EchoOutcomeName(*last) : "none yet")};
}

}  // namespace

ContinuousPairs::ContinuousPairs(SharedConfig& config, const Clock& clock,
                                 AddressBook& book, ProbeRecorder& recorder,
                                 Dispatcher& dispatcher)
    : config_(config),
      clock_(clock),
      book_(book),
      recorder_(recorder),
      dispatcher_(dispatcher),
      log_lines_(std::chrono::minutes(10), /*burst=*/1) {}

std::optional<HttpResponse> ContinuousPairs::Probe(
    const ProbeQuery& query,
    const std::shared_ptr<const ExporterConfig>& config,
    const ModuleConfig& module, const ProbeTarget& target) {
  if (query.count > 1) {
    return HttpResponse::Text(
        400, "Parameter count is for modules that probe on demand; module \"" +
                 query.module + "\" is continuous");
  }
  const Key key{
      query.module, module.source.name,
      target.address ? target.address->ToString() : LowerCase(target.name)};
  PairId id = 0;
  {
    const MutexLock lock(mutex_);
    if (config_.Get() != config) return std::nullopt;
    const SteadyTime now = clock_.Now();
    auto found = pairs_.find(key);
    if (found == pairs_.end()) {
      if (dispatcher_.stopping()) {
        return HttpResponse::RetryAfter(503, kRetryAfter,
                                        "The exporter is stopping");
      }
      if (pairs_.size() >= config->probe.max_continuous &&
          now - looked_ >= kLookSpacing) {
        EndUnaskedAt(now);
      }
      if (pairs_.size() >= config->probe.max_continuous) {
        return Refuse(*config, now);
      }
      found = Begin(key, query.target, target, config, module);
    }
    Pair& pair = found->second;
    if (target.verdict == TargetVerdict::kDependsOnAddress) {
      const auto addresses = AddressesOf(pair.spec.destination, book_);
      if (!addresses.empty() &&
          AllowedAddresses(config->probe, addresses).empty()) {
        return HttpResponse::Text(403, NoAddressAllowed(query.target));
      }
    }
    pair.asked = now;
    id = pair.spec.id;
  }
  return Read(id, query, *config, module);
}

ContinuousPairs::Pairs::iterator ContinuousPairs::Begin(
    const Key& key, const std::string& text, const ProbeTarget& target,
    const std::shared_ptr<const ExporterConfig>& config,
    const ModuleConfig& module) {
  const DestinationConfig destination = DestinationOf(key[2], target);
  const PairId id = recorder_.AddPair(LabelsOf(key));
  auto place = pairs_.end();
  try {
    place = pairs_.try_emplace(key).first;
    Pair& pair = place->second;
    pair.spec.id = id;
    pair.target = text;
    pair.asked = clock_.Now();
    Set(config, module, target.verdict, &pair);
    const auto to =
        WatchDestination(destination, GroupConfig().dns_refresh, book_);
    pair.destination_watch = to.watch;
    pair.spec.destination = to.endpoint;
    dispatcher_.Apply({.scheduled = {{pair.interval, {pair.spec}}},
                       .updated = {},
                       .removed = {}});
  } catch (...) {
    if (place == pairs_.end()) {
      recorder_.RemovePair(id);
    } else {
      End(place);
    }
    throw;
  }
  recorder_.Describe(
      id, {.interval = module.interval, .has_name = !destination.address});
  return place;
}

// What a module says of a pair. Its previous source stays watched.
void ContinuousPairs::Set(const std::shared_ptr<const ExporterConfig>& config,
                          const ModuleConfig& module, TargetVerdict verdict,
                          Pair* pair) {
  pair->interval = module.interval;
  pair->keep = module.keep;
  const GroupConfig defaults;
  auto settings = std::make_shared<PairSettings>(
      PairSettings{.source = {},
                   .other_source = module.source.other_address,
                   .echo = module.echo,
                   .flow_renew_after = defaults.flow_renew_after,
                   .outage_after = defaults.outage_after});
  if (verdict == TargetVerdict::kDependsOnAddress) {
    settings->allowed = {config, &config->probe.allowed_prefixes};
  }
  const WatchedEndpoint source = WatchSource(module.source, book_);
  pair->source_watch = source.watch;
  settings->source = source.endpoint;
  pair->spec.settings = std::move(settings);
}

std::optional<HttpResponse> ContinuousPairs::Read(
    PairId pair, const ProbeQuery& query, const ExporterConfig& config,
    const ModuleConfig& module) const {
  std::string metrics;
  const auto status = recorder_.RenderPair(
      pair, {.format = query.format, .omit = config.omit}, &metrics);
  if (!status) return std::nullopt;
  metrics += RenderProbeReport(ReportOf(*status, module), query.format);
  return MakeProbeResponse(
      query,
      query.debug ? LinesOn(*status, module) : std::vector<std::string>(),
      std::move(metrics), module);
}

HttpResponse ContinuousPairs::Refuse(const ExporterConfig& config,
                                     SteadyTime now) {
  const std::string limit = std::to_string(config.probe.max_continuous);
  if (log_lines_.Take(now) == Nanoseconds::zero()) {
    Log(LogLevel::kWarn, "too many continuous pairs",
        {{"max_continuous", limit}});
  }
  return HttpResponse::RetryAfter(
      503, kRetryAfter,
      "Too many pairs of continuous modules; the configuration's "
      "max_continuous allows " +
          limit);
}

void ContinuousPairs::EndUnasked() {
  const MutexLock lock(mutex_);
  EndUnaskedAt(clock_.Now());
}

void ContinuousPairs::EndUnaskedAt(SteadyTime now) {
  looked_ = now;
  DispatchChange change;
  std::vector<Pairs::iterator> ended;
  for (auto place = pairs_.begin(); place != pairs_.end(); ++place) {
    if (now - place->second.asked < place->second.keep) continue;
    ended.push_back(place);
    change.removed.push_back(place->second.spec.id);
  }
  if (ended.empty()) return;
  dispatcher_.Apply(std::move(change));
  for (const auto place : ended) End(place);
}

void ContinuousPairs::End(Pairs::iterator place) noexcept {
  recorder_.RemovePair(place->second.spec.id);
  Unwatch(place->second.source_watch);
  Unwatch(place->second.destination_watch);
  pairs_.erase(place);
}

void ContinuousPairs::Unwatch(
    const std::optional<AddressBook::Watch>& watch) noexcept {
  if (watch) book_.Unwatch(*watch);
}

void ContinuousPairs::MoveTo(std::shared_ptr<const ExporterConfig> next,
                             DispatchChange change) {
  const MutexLock lock(mutex_);
  // What is to be undone is noted where that cannot fail.
  std::vector<Move> moves;
  moves.reserve(pairs_.size());
  try {
    Plan(next, &moves, &change);
    dispatcher_.Apply(std::move(change));
  } catch (...) {
    for (const Move& move : moves) {
      if (move.pair) Unwatch(move.pair->source_watch);
    }
    throw;
  }
  // From here on, nothing is sent for pairs that end.
  for (Move& move : moves) {
    if (!move.pair) {
      End(move.place);
      continue;
    }
    Pair& pair = move.place->second;
    Unwatch(pair.source_watch);
    pair = *std::move(move.pair);
    recorder_.Describe(pair.spec.id,
                       {.interval = pair.interval,
                        .has_name = !pair.spec.destination.address});
  }
  config_.Set(std::move(next));
}

void ContinuousPairs::Plan(const std::shared_ptr<const ExporterConfig>& next,
                           std::vector<Move>* moves, DispatchChange* change) {
  const std::string* last_module = nullptr;
  for (auto place = pairs_.begin(); place != pairs_.end(); ++place) {
    const Pair& old = place->second;
    TargetVerdict verdict = TargetVerdict::kRefused;
    const auto module = ModuleOf(place->first, old, *next, &verdict);
    moves->push_back({.place = place, .pair = std::nullopt});
    Move& move = moves->back();
    if (!module) {
      change->removed.push_back(old.spec.id);
      continue;
    }
    Pair pair = old;
    Set(next, *module, verdict, &pair);
    move.pair = std::move(pair);
    if (module->interval != old.interval) {
      // Those of a module are spread over the new interval together.
      if (last_module == nullptr || *last_module != place->first[0]) {
        change->scheduled.push_back(
            {.interval = module->interval, .pairs = {}});
        last_module = &place->first[0];
      }
      change->scheduled.back().pairs.push_back(move.pair->spec);
    } else if (move.pair->spec != old.spec) {
      change->updated.push_back(move.pair->spec);
    }
  }
}

// The module of a pair by `next`, with its source; absent if the pair ends.
std::optional<ModuleConfig> ContinuousPairs::ModuleOf(
    const Key& key, const Pair& pair, const ExporterConfig& next,
    TargetVerdict* verdict) const {
  const auto& [name, source_name, target] = key;
  const auto found = next.modules.find(name);
  if (!next.probe.enabled || found == next.modules.end() ||
      found->second.mode != kContinuous) {
    return std::nullopt;
  }
  const auto parsed = ParseTarget(next.probe, pair.target);
  if (!parsed || parsed->verdict == TargetVerdict::kRefused) {
    return std::nullopt;
  }
  *verdict = parsed->verdict;
  ModuleConfig module = found->second;
  if (module.source.name == source_name) return module;
  // What had the module's source has another one now.
  if (config_.Get()->modules.at(name).source.name == source_name) {
    return std::nullopt;
  }
  auto source = ParseSource(source_name, next.sources);
  if (!source.ok() || !AllowsSource(next.probe, source.value())) {
    return std::nullopt;
  }
  module.source = std::move(source).value();
  return module;
}

}  // namespace echo_exporter
