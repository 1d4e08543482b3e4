#include "echo_exporter/exporter.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

#include "echo_exporter/discovery.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/pair_history.h"
#include "echo_exporter/probe_recorder.h"
#include "src/app/reload_report.h"
#include "src/app/restart_settings.h"
#include "src/base/condition_log.h"
#include "src/base/free_memory.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/permit.h"
#include "src/engine/dispatcher.h"
#include "src/engine/pair_set.h"
#include "src/engine/result_router.h"
#include "src/engine/shared_config.h"
#include "src/engine/state_log.h"
#include "src/probe/continuous_pairs.h"
#include "src/probe/on_demand_prober.h"
#include "src/web/config_text.h"
#include "src/web/routes.h"

namespace echo_exporter {
namespace {

// The connections beyond those of probes are for the scrapes of several
// Prometheus servers.
static_assert(kMostConcurrentProbes + 64 <= HttpLimits().connections);

enum class Phase { kCreated, kRunning, kStopping };

HistorySettings HistorySettingsOf(const ExporterConfig& config) {
  return {.memory = config.history_memory, .lossy = config.history_lossy};
}

class ExporterImpl final : public Exporter {
 public:
  ExporterImpl(ExporterConfig config, const Environment& environment)
      : load_config_(environment.load_config),
        probe_timeout_offset_(environment.probe_timeout_offset),
        file_config_(std::move(config)),
        web_security_(environment.web_security),
        history_(PairHistory::Create(
            Clock::System(),
            {.snapshot = [this] { return recorder_.Snapshot(); },
             .conditions = [this] { return recorder_.Conditions(); }},
            HistorySettingsOf(*file_config_.Get()))),
        recorder_(file_config_.Get()->histograms, Clock::System(),
                  kEchoTransportTraits.sees_stray_replies,
                  kEchoTransportTraits.sets_identifier,
                  {&state_log_, history_.get()}),
        lookup_(*environment.lookup),
        book_(lookup_, AddressBook::Options{},
              [this](const AddressBook::Report& report) {
                OnLookupFailure(report);
              }),
        pairs_(recorder_, book_) {
    LogEach(LogLevel::kWarn, "configuration", "warning",
            file_config_.Get()->warnings);
    if (!web_security_) return;
    web_security_->SetObserver([this](const WebSecurityState& state) {
      recorder_.RecordWebConfigLoad(state.good, state.certificate_expiry);
    });
  }

  ~ExporterImpl() override {
    Stop();
    history_->Stop();
    // The web configuration may live longer.
    if (web_security_) web_security_->SetObserver(nullptr);
  }

  Status Open(const Environment& environment);

  void Start() override;
  void Stop() override;
  void EndUnaskedPairs() noexcept override;
  ReloadReport Reload() noexcept override;
  ReloadReport ReloadChanged(ConfigOutcome loaded) noexcept override;
  Nanoseconds HeldUpFor() const override { return dispatcher_->HeldUpFor(); }
  std::size_t InFlight() const override { return transport_->in_flight(); }
  bool NeedsRawSockets() const override {
    return transport_->NeedsRawSockets();
  }
  std::vector<std::string> Urls() const override { return server_->Urls(); }

 private:
  template <typename Load>
  ReloadReport Take(Load load) noexcept REQUIRES(reload_mutex_);
  Status MoveTo(const std::shared_ptr<const ExporterConfig>& file)
      REQUIRES(reload_mutex_);
  void Apply(const std::shared_ptr<const ExporterConfig>& file,
             const std::shared_ptr<const ExporterConfig>& effective)
      REQUIRES(reload_mutex_);
  void FollowDiscovery();
  void TryReload(ConfigOutcome loaded, ReloadReport* report)
      REQUIRES(reload_mutex_);
  WebContent Content();
  HttpResponse RespondToReload();
  HttpResponse ProbePair(const HttpRequest& request, const PairLabels& labels);
  std::string NotReadyReason() const;
  void OnLookupFailure(const AddressBook::Report& report);

  const std::function<ConfigOutcome()> load_config_;
  const Nanoseconds probe_timeout_offset_;
  SharedConfig file_config_;
  /// In effect: with what discovery has found.
  SharedConfig config_{ExporterConfig()};
  ConfigText config_text_;
  const std::shared_ptr<WebSecurity> web_security_;  // may be null
  std::atomic<Phase> phase_{Phase::kCreated};
  std::atomic<std::uint32_t> reloads_asked_for_{0};  ///< by HTTP
  Mutex reload_mutex_;                               ///< one reload at a time
  RoomLog room_log_;
  ConditionLog failing_names_{{.begins = "address lookup failed",
                               .ends = "address lookup works again",
                               .subject = "name"}};

  // In order of dependency: each member uses only members before it and is
  // destroyed before them. Stop() does not wait for everything. The server's
  // destructor waits for HTTP requests, and those for /probe use all members
  // before it; echo requests still in flight end with the transport, which
  // reports them to the router.
  StateLog state_log_{Clock::System()};
  const std::unique_ptr<PairHistory> history_;  ///< its thread uses recorder_
  ProbeRecorder recorder_;
  ResultRouter router_{recorder_, history_.get()};
  AddressLookup& lookup_;
  AddressBook book_;
  PairSet pairs_ GUARDED_BY(reload_mutex_);
  std::unique_ptr<EchoTransport> transport_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<ContinuousPairs> continuous_;
  std::unique_ptr<OnDemandProber> prober_;
  std::unique_ptr<Discovery> discovery_;
  std::unique_ptr<HttpServer> server_;
};

Status ExporterImpl::Open(const Environment& environment) {
  const auto config = file_config_.Get();
  const MutexLock lock(reload_mutex_);
  discovery_ =
      Discovery::Create({.lookup = &lookup_,
                         .book = &book_,
                         .recorder = &recorder_,
                         .hostname = environment.hostname,
                         .fetch = environment.fetch},
                        config->state_dir, [this] { FollowDiscovery(); });
  const auto effective = discovery_->Plan(config);
  if (!effective.ok()) return effective.error();
  config_.Set(effective.value());
  EchoTransportOptions options;
  options.max_in_flight =
      MaxInFlight(*effective.value(), effective.value() != config);
  options.on_stray_reply = [this](std::uint64_t tag, StrayReply kind) {
    router_.OnStrayReply(tag, kind);
  };
  auto transport = environment.create_transport(
      options, [this](const EchoResult& result) { router_.OnResult(result); });
  if (!transport.ok()) return transport.error();
  transport_ = std::move(transport).value();
  dispatcher_ =
      std::make_unique<Dispatcher>(Clock::System(), *transport_, book_,
                                   recorder_, router_, config->drain_timeout);
  continuous_ = std::make_unique<ContinuousPairs>(
      config_, Clock::System(), book_, recorder_, *dispatcher_);
  prober_ = std::make_unique<OnDemandProber>(
      config_, Clock::System(), lookup_, *transport_, *dispatcher_,
      *continuous_, probe_timeout_offset_);
  auto server = HttpServer::Create(config->listen_addresses,
                                   MakeRoutes(Content(), environment.web_place),
                                   environment.http_limits, web_security_,
                                   [this](std::string_view route, int status) {
                                     recorder_.RecordHttpRequest(route, status);
                                   });
  if (!server.ok()) return server.error();
  server_ = std::move(server).value();
  Apply(config, effective.value());
  recorder_.RecordConfigLoad(true);
  return std::monostate{};
}

Status ExporterImpl::MoveTo(const std::shared_ptr<const ExporterConfig>& file) {
  const auto effective = discovery_->Plan(file);
  if (!effective.ok()) return effective.error();
  Apply(file, effective.value());
  return std::monostate{};
}

void ExporterImpl::Apply(
    const std::shared_ptr<const ExporterConfig>& file,
    const std::shared_ptr<const ExporterConfig>& effective) {
  try {
    DispatchChange change = pairs_.Plan(*effective);
    try {
      continuous_->MoveTo(effective, std::move(change));
    } catch (...) {
      pairs_.Abandon();
      throw;
    }
  } catch (...) {
    discovery_->Abandon();
    throw;
  }
  // From here on, nothing is sent for removed pairs.
  pairs_.Commit();
  discovery_->Commit();
  file_config_.Set(file);
  if (effective != file) {
    room_log_.Look(*effective, transport_->max_in_flight());
  }
}

void ExporterImpl::FollowDiscovery() {
  const MutexLock lock(reload_mutex_);
  // Errors are logged, and nothing has changed then.
  if (phase_ == Phase::kRunning) (void)MoveTo(file_config_.Get()).ok();
}

Exporter::ReloadReport ExporterImpl::Reload() noexcept {
  const MutexLock lock(reload_mutex_);
  return Take([this] {
    ConfigOutcome loaded = load_config_();
    // Second, so that errors in the first leave it alone.
    if (loaded.config && web_security_) {
      loaded.errors = web_security_->Reload();
      if (!loaded.errors.empty()) loaded.config.reset();
    }
    return loaded;
  });
}

Exporter::ReloadReport ExporterImpl::ReloadChanged(
    ConfigOutcome loaded) noexcept {
  const MutexLock lock(reload_mutex_);
  return Take([this, &loaded] {
    if (loaded.config && LosesAllPairs(*config_.Get(), *loaded.config)) {
      loaded.config.reset();
      loaded.errors = {
          "the configuration has changed and has no pair any more; a change "
          "that removes all pairs must be reloaded explicitly"};
    }
    return std::move(loaded);
  });
}

template <typename Load>
Exporter::ReloadReport ExporterImpl::Take(Load load) noexcept {
  ReloadReport report;
  try {
    TryReload(load(), &report);
  } catch (const std::exception& error) {
    report.successful = false;
    try {
      report.errors = {std::string("reloading the configuration: ") +
                       error.what()};
    } catch (const std::bad_alloc&) {
      // The report says at least that it failed.
    }
  }
  recorder_.RecordConfigLoad(report.successful);
  try {
    LogReload(report, config_.Get()->pairs.size());
  } catch (const std::bad_alloc&) {
    // What was done is done; only the lines are lost.
  }
  ReturnFreeMemory();
  return report;
}

void ExporterImpl::TryReload(ConfigOutcome loaded, ReloadReport* report) {
  if (!loaded.config) {
    report->errors = std::move(loaded.errors);
    return;
  }
  report->notes = std::move(loaded.config->warnings);
  KeepUntilRestart(*file_config_.Get(), &*loaded.config, &report->notes);
  const auto next =
      std::make_shared<const ExporterConfig>(std::move(*loaded.config));
  const Status moved = MoveTo(next);
  if (!moved.ok()) report->errors = {moved.error().message};
  if (moved.ok()) history_->SetSettings(HistorySettingsOf(*next));
  report->successful = moved.ok();
}

WebContent ExporterImpl::Content() {
  return {
      .metrics =
          [this](MetricsQuery query, const TextSink& sink) {
            query.omit = config_.Get()->omit;
            recorder_.Render(query, transport_->Stats(), sink);
          },
      .metrics_memory =
          [this](const MetricsQuery& query) {
            return recorder_.RenderMemory(query);
          },
      .config = [this] { return config_text_.Get(file_config_.Get()); },
      .not_ready_reason = [this] { return NotReadyReason(); },
      .probe =
          [this](const HttpRequest& request) {
            return prober_->Respond(request);
          },
      .reload = [this] { return RespondToReload(); },
      .status = {.clock = &Clock::System(),
                 .history = history_.get(),
                 .config = [this] { return config_.Get(); },
                 .timeout_of =
                     [this](const PairLabels& labels) {
                       const auto query = QueryOfPair(*config_.Get(), labels);
                       return query ? std::optional(query->pair_echo->timeout)
                                    : std::nullopt;
                     },
                 .probe_pair =
                     [this](const HttpRequest& request,
                            const PairLabels& labels) {
                       return ProbePair(request, labels);
                     }},
  };
}

HttpResponse ExporterImpl::ProbePair(const HttpRequest& request,
                                     const PairLabels& labels) {
  auto query = QueryOfPair(*config_.Get(), labels);
  if (!query) {
    return HttpResponse::Text(404,
                              "The configuration has no such pair any more.");
  }
  query->client = request.client;
  return prober_->Probe(*query);
}

HttpResponse ExporterImpl::RespondToReload() {
  if (!load_config_ || !config_.Get()->allow_reload) {
    return HttpResponse::Text(
        403,
        "Reloading over HTTP is disabled by the configuration "
        "(web.allow_reload).");
  }
  // One reload runs and one may wait, which will read the latest file: further
  // ones would add nothing and occupy connections of the server.
  const Permit permit(reloads_asked_for_, /*limit=*/2);
  if (!permit.granted()) {
    return HttpResponse::RetryAfter(503, std::chrono::seconds(1),
                                    "Too many reloads in progress; retry "
                                    "later.");
  }
  return ResponseTo(Reload());
}

std::string ExporterImpl::NotReadyReason() const {
  switch (phase_.load()) {
    case Phase::kCreated:
      return "starting";
    case Phase::kRunning:
      return "";
    case Phase::kStopping:
      return "stopping";
  }
  return "";
}

void ExporterImpl::OnLookupFailure(const AddressBook::Report& report) {
  recorder_.SetStaleLookups(report.stale);
  if (!report.watched) {
    failing_names_.Forget(report.name);
    return;
  }
  if (report.error == nullptr) {
    failing_names_.End(report.name);
    return;
  }
  recorder_.RecordResolveFailure();
  failing_names_.Report(report.name, report.error->message);
}

void ExporterImpl::Start() {
  dispatcher_->Start();
  history_->Start();
  if (web_security_) web_security_->Watch();
  server_->Start();
  phase_ = Phase::kRunning;
  discovery_->Start();
  Log(LogLevel::kInfo, "started",
      {{"pairs", std::to_string(config_.Get()->pairs.size())},
       {"transport", transport_->Describe()},
       {"max_in_flight", std::to_string(transport_->max_in_flight())}});
  ReturnFreeMemory();  // what reading the configuration took
}

void ExporterImpl::EndUnaskedPairs() noexcept {
  try {
    continuous_->EndUnasked();
  } catch (const std::exception&) {
    // No memory: the next time.
  }
}

void ExporterImpl::Stop() {
  if (server_ == nullptr ||
      phase_.exchange(Phase::kStopping) == Phase::kStopping) {
    return;
  }
  discovery_->Stop();
  dispatcher_->Stop();
  server_->Stop();
  Log(LogLevel::kInfo, "stopped",
      {{"in_flight", std::to_string(transport_->in_flight())}});
}

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::Create(
    ExporterConfig config, const Environment& environment) {
  auto exporter =
      std::make_unique<ExporterImpl>(std::move(config), environment);
  if (Status opened = exporter->Open(environment); !opened.ok()) {
    return opened.error();
  }
  return std::unique_ptr<Exporter>(std::move(exporter));
}

}  // namespace echo_exporter
