#include "src/probe/on_demand_prober.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/duration.h"
#include "src/base/log.h"
#include "src/base/permit.h"
#include "src/engine/echo_route.h"
#include "src/probe/target_policy.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;

// How much longer than its timeout a request may take to report it.
constexpr Nanoseconds kGrace = milliseconds(100);
constexpr Nanoseconds kShortestTimeout = milliseconds(1);
// Echo requests of one probe are this far apart, or closer if the timeout
// requires it, so that they do not compete with each other on the way.
constexpr Nanoseconds kLongestSpacing = milliseconds(100);

// In the last tenth of a probe's time no further request is sent.
constexpr int kLastPart = 10;

// Collects results. Shared with the completions, some of which may run after
// the response.
struct Collector {
  explicit Collector(std::size_t count) : results(count) {}

  Mutex mutex;
  CondVar changed;
  std::vector<std::optional<EchoResult>> results GUARDED_BY(mutex);
  std::size_t finished GUARDED_BY(mutex) = 0;
};

// False when `until` passed first.
bool WaitUntil(Collector& collector, std::size_t finished, SteadyTime until) {
  MutexLock lock(collector.mutex);
  while (collector.finished < finished) {
    if (!collector.changed.WaitUntil(collector.mutex, until)) return false;
  }
  return true;
}

// A probe that this exporter could not make says nothing of its target.
HttpResponse NotProbed(const std::string& reason) {
  return HttpResponse::RetryAfter(503, std::chrono::seconds(1), reason);
}

std::string EchoLine(std::size_t number, const EchoResult& echo) {
  std::string line = "echo " + std::to_string(number) + ": " +
                     std::string(EchoOutcomeName(echo.outcome)) + " after " +
                     std::to_string(echo.rtt.count() / 1000) + " us";
  if (echo.responder) line += " from " + echo.responder->ToString();
  if (echo.mtu != 0) line += ", MTU " + std::to_string(echo.mtu);
  if (echo.os_code != 0) line += " (code " + std::to_string(echo.os_code) + ")";
  return line;
}

}  // namespace

// A query combined with the configuration.
struct OnDemandProber::Plan {
  const ProbeQuery& query;
  std::shared_ptr<const ExporterConfig> config;
  ProbeTarget target = {};
  ModuleConfig module = {};  // with the query's source
  SteadyTime start{};
  SteadyTime deadline{};
  Nanoseconds suspended{};  // in total at the start
  Nanoseconds grace{};
};

OnDemandProber::OnDemandProber(const SharedConfig& config, const Clock& clock,
                               AddressLookup& lookup,
                               const EchoTransport& transport,
                               Dispatcher& dispatcher,
                               ContinuousPairs& continuous,
                               Nanoseconds timeout_offset)
    : config_(config),
      clock_(clock),
      transport_(transport),
      dispatcher_(dispatcher),
      continuous_(continuous),
      lookup_(lookup),
      clients_(config.Get()->probe.requests_per_second,
               config.Get()->probe.burst),
      timeout_offset_(timeout_offset),
      log_lines_(std::chrono::minutes(1), /*burst=*/10) {}

HttpResponse OnDemandProber::Respond(const HttpRequest& request) {
  Result<ProbeQuery> query = ParseProbeQuery(
      request.query, request.Header("X-Prometheus-Scrape-Timeout-Seconds"));
  if (!query.ok()) return HttpResponse::Text(400, query.error().message);
  query.value().client = request.client;
  if (!query.value().debug) {
    query.value().format = ChooseMetricsFormat(request.HeaderList("Accept"));
  }
  return Probe(query.value());
}

HttpResponse OnDemandProber::Probe(const ProbeQuery& query) {
  // Clients whose address is unknown, because they disconnected early, count as
  // one client.
  const Nanoseconds wait =
      clients_.Take(query.client.value_or(IpAddress()), clock_.Now());
  if (wait > Nanoseconds::zero()) {
    return HttpResponse::RetryAfter(
        429, wait,
        "Too many probes from this client: the rate limit of the configuration "
        "is exceeded");
  }
  for (;;) {
    if (auto response = ProbeBy(config_.Get(), query)) {
      return *std::move(response);
    }
  }
}

std::optional<HttpResponse> OnDemandProber::ProbeBy(
    std::shared_ptr<const ExporterConfig> current, const ProbeQuery& query) {
  Plan plan{.query = query, .config = std::move(current)};
  const ExporterConfig& config = *plan.config;
  if (!config.probe.enabled) {
    return HttpResponse::Text(
        403, "The configuration has no probes on demand: [probe] enabled");
  }
  if (query.pair_echo) {
    plan.module.echo = *query.pair_echo;
  } else {
    const auto module = config.modules.find(query.module);
    if (module == config.modules.end()) {
      return HttpResponse::Text(400, "Unknown module \"" + query.module + "\"");
    }
    plan.module = module->second;
  }
  if (query.source) {
    auto source = ParseSource(*query.source, config.sources);
    if (!source.ok()) return HttpResponse::Text(400, source.error().message);
    if (!AllowsSource(config.probe, source.value())) {
      return HttpResponse::Text(403, "Source \"" + *query.source +
                                         "\" is not in the configuration's "
                                         "allowed_sources");
    }
    plan.module.source = std::move(source).value();
  }
  SetTimes(&plan);
  auto target = ParseTarget(config.probe, query.target);
  if (!target) return RejectTarget(plan);
  plan.target = *std::move(target);
  if (plan.target.verdict == TargetVerdict::kRefused) {
    return HttpResponse::Text(
        403, "Target \"" + query.target +
                 "\" is not in the configuration's allowed_targets" +
                 (config.probe.allow_destinations ? " or a destination" : ""));
  }
  if (plan.module.mode == ModuleConfig::Mode::kContinuous) {
    return continuous_.Probe(query, plan.config, plan.module, plan.target);
  }
  const Permit permit(running_, config.probe.max_concurrent);
  if (!permit.granted()) {
    return HttpResponse::Text(
        503, "Too many concurrent probes; the configuration allows " +
                 std::to_string(config.probe.max_concurrent));
  }
  return RunPlan(plan);
}

void OnDemandProber::SetTimes(Plan* plan) const {
  Nanoseconds timeout = plan->module.echo.timeout;
  plan->grace = kGrace;
  if (const auto& limit = plan->query.scrape_timeout) {
    const Nanoseconds margin = std::min(timeout_offset_, *limit / 3);
    timeout = std::min(timeout, std::max(*limit - margin, kShortestTimeout));
    plan->grace = std::min(kGrace, margin / 2);
  }
  plan->start = clock_.Now();
  plan->suspended = clock_.SuspendedTime();
  plan->deadline = plan->start + timeout;
}

HttpResponse OnDemandProber::RejectTarget(const Plan& plan) {
  const std::string reason = "target \"" + plan.query.target +
                             "\" is neither an address of a host nor a host "
                             "name";
  {
    const MutexLock lock(mutex_);
    if (log_lines_.Take(clock_.Now()) == Nanoseconds::zero()) {
      Log(LogLevel::kWarn, "probe of an invalid target",
          {{"target", plan.query.target}});
    }
  }
  ProbeReport report;
  report.log.push_back(reason);
  return Report(plan, std::move(report));
}

HttpResponse OnDemandProber::RunPlan(const Plan& plan) {
  ProbeReport report;
  const Result<Route> route = PlanRoute(plan, &report);
  if (route.ok()) {
    const Permit room =
        dispatcher_.TakeRoom(std::min(plan.query.count, dispatcher_.room()));
    if (!room.granted()) {
      return NotProbed(
          "Too many echo requests of probes in flight; a quarter of the "
          "configuration's max_in_flight is for probes");
    }
    SendEchoes(plan, route.value(), &report);
  } else if (route.error().code == ErrorCode::kNotAllowed) {
    return HttpResponse::Text(403, route.error().message);
  } else if (route.error().code == ErrorCode::kExhausted) {
    return HttpResponse::Text(503, route.error().message);
  } else {
    report.log.push_back(route.error().message);
  }
  return Report(plan, std::move(report));
}

HttpResponse OnDemandProber::Report(const Plan& plan,
                                    ProbeReport report) const {
  const ProbeQuery& query = plan.query;
  report.timeout = plan.deadline - plan.start;
  report.count = plan.query.count;
  if (!report.echoes.empty() &&
      std::ranges::all_of(report.echoes, [](const auto& echo) {
        return IsOfThisHost(echo.outcome);
      })) {
    return NotProbed(
        "The exporter's own host prevented every echo request: " +
        std::string(EchoOutcomeName(report.echoes.back().outcome)));
  }
  report.success = std::ranges::any_of(report.echoes, [](const auto& echo) {
    return echo.outcome == EchoOutcome::kReply;
  });
  report.duration = clock_.Now() - plan.start;
  if (!report.success && dispatcher_.stopping()) {
    return NotProbed("The exporter is stopping");
  }

  if (query.pair_echo) {
    return {.content_type = "application/json",
            .body = RenderProbeJson(report, clock_.WallNow())};
  }
  return MakeProbeResponse(
      query, report.log, RenderProbeReport(report, query.format), plan.module);
}

Result<std::vector<IpAddress>> OnDemandProber::FindDestinations(
    const Plan& plan) {
  const ProbeTarget& target = plan.target;
  if (!target.address) return lookup_.ResolveName(target.name, plan.deadline);
  auto address = lookup_.FindAddress(*target.address, plan.deadline);
  if (!address.ok()) return address.error();
  return std::vector{address.value()};
}

Result<Route> OnDemandProber::PlanRoute(const Plan& plan, ProbeReport* report) {
  auto destinations = FindDestinations(plan);
  if (!destinations.ok()) return destinations.error();
  report->resolve_time = clock_.Now() - plan.start;
  if (plan.target.verdict == TargetVerdict::kDependsOnAddress) {
    destinations = AllowedAddresses(plan.config->probe, destinations.value());
    if (destinations.value().empty()) {
      return Error{ErrorCode::kNotAllowed, NoAddressAllowed(plan.query.target)};
    }
  }
  const ModuleConfig& module = plan.module;
  const auto sources = lookup_.FindSources(module.source, plan.deadline);
  if (!sources.ok()) return sources.error();
  auto route =
      FindRoute(module.source, sources.value(), plan.query.target,
                destinations.value(), module.echo.ip_version, transport_);
  if (route.ok()) report->destination = route.value().destination;
  return route;
}

void OnDemandProber::SendEchoes(const Plan& plan, const Route& route,
                                ProbeReport* report) {
  const auto collector = std::make_shared<Collector>(plan.query.count);
  const std::size_t at_once = std::min(plan.query.count, dispatcher_.room());
  const Nanoseconds spacing = std::min(
      kLongestSpacing, (plan.deadline - plan.start) / (2 * plan.query.count));
  report->setup_time =
      clock_.Now() - plan.start - report->resolve_time.value_or(Nanoseconds(0));
  const std::uint32_t flow = next_flow_--;
  // A reply needs its time too: where the others wait for the end, to send one
  // more in their place would be to count it as lost.
  const SteadyTime latest =
      plan.deadline - (plan.deadline - plan.start) / kLastPart;
  SteadyTime next = clock_.Now();
  std::size_t sent = 0;
  for (; sent < plan.query.count; ++sent) {
    if (sent > 0) WaitUntil(*collector, plan.query.count, next);
    if (sent >= at_once && !WaitUntil(*collector, sent - at_once + 1, latest)) {
      break;
    }
    const SteadyTime now = clock_.Now();
    if (now >= (sent == 0 ? plan.deadline : latest)) break;
    EchoSettings settings = plan.module.echo;
    settings.timeout = std::max(plan.deadline - now, kShortestTimeout);
    EchoRequest request = MakeRequest(0, route, settings);
    if (settings.flow == FlowPolicy::kFresh) {
      request.flow.owner = next_flow_--;
    } else {
      request.flow = {.kind = EchoFlow::Kind::kBrief, .owner = flow};
    }
    dispatcher_.Submit(request, [collector, sent](const EchoResult& result) {
      MutexLock lock(collector->mutex);
      collector->results[sent] = result;
      ++collector->finished;
      collector->changed.NotifyAll();
    });
    next += spacing;
  }
  // A little longer than the requests' own timeout, so that their results come
  // from the transport.
  WaitUntil(*collector, sent, plan.deadline + plan.grace);

  MutexLock lock(collector->mutex);
  for (std::size_t i = 0; i < sent; ++i) {
    EchoResult late;
    late.outcome = clock_.SuspendedTime() - plan.suspended > kShortestSuspension
                       ? EchoOutcome::kSuspended
                       : EchoOutcome::kTimeout;
    late.rtt = report->timeout;
    report->echoes.push_back(collector->results[i].value_or(late));
    report->log.push_back(EchoLine(i + 1, report->echoes.back()));
  }
}

}  // namespace echo_exporter
