#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/result.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"
#include "src/engine/dispatcher.h"
#include "src/engine/shared_config.h"
#include "src/probe/client_limiter.h"
#include "src/probe/continuous_pairs.h"
#include "src/probe/deadline_lookup.h"
#include "src/probe/probe_query.h"
#include "src/probe/probe_report.h"

namespace echo_exporter {

/// Responds to /probe: checks the request against the configuration, resolves
/// the target, sends through the dispatcher, and waits; or, if the module is
/// continuous, leaves that to ContinuousPairs.
///
/// Thread-safe.
class OnDemandProber {
 public:
  /// The arguments passed by reference must outlive the prober. A probe ends
  /// `timeout_offset` before Prometheus's own limit, so that the response
  /// arrives in time, but leaves no more than a third of it unused.
  OnDemandProber(const SharedConfig& config, const Clock& clock,
                 AddressLookup& lookup, const EchoTransport& transport,
                 Dispatcher& dispatcher, ContinuousPairs& continuous,
                 Nanoseconds timeout_offset);

  /// Blocks for at most the probe's timeout and 100 ms. Status 400 for an
  /// invalid query, 403 for one that is not allowed, 429 for a client beyond
  /// its rate limit, 503 beyond `max_concurrent` or the dispatcher's room, when
  /// all outcomes are of this host, and while it stops; else 200, whether or
  /// not the target replied, or can be a target at all.
  HttpResponse Probe(const ProbeQuery& query);

  /// The same for the query of a request; status 400 if it cannot be parsed.
  HttpResponse Respond(const HttpRequest& request);

 private:
  struct Plan;

  /// Absent: the configuration has changed meanwhile.
  std::optional<HttpResponse> ProbeBy(
      std::shared_ptr<const ExporterConfig> current, const ProbeQuery& query);
  HttpResponse RunPlan(const Plan& plan);
  void SetTimes(Plan* plan) const;
  HttpResponse Report(const Plan& plan, ProbeReport report) const;
  HttpResponse RejectTarget(const Plan& plan);
  Result<Route> PlanRoute(const Plan& plan, ProbeReport* report);
  Result<std::vector<IpAddress>> FindDestinations(const Plan& plan);
  void SendEchoes(const Plan& plan, const Route& route, ProbeReport* report);

  const SharedConfig& config_;
  const Clock& clock_;
  const EchoTransport& transport_;
  Dispatcher& dispatcher_;
  ContinuousPairs& continuous_;
  DeadlineLookup lookup_;
  ClientLimiter clients_;
  const Nanoseconds timeout_offset_;
  std::atomic<std::uint32_t> running_{0};
  /// Each probe's own. Downwards, as the numbers of pairs begin at 0.
  std::atomic<std::uint32_t> next_flow_{
      std::numeric_limits<std::uint32_t>::max()};
  Mutex mutex_;
  TokenBucket log_lines_ GUARDED_BY(mutex_);  ///< about invalid targets
};

}  // namespace echo_exporter
