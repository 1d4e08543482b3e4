#include "echo_exporter/exporter.h"

#include <atomic>
#include <map>
#include <utility>

#include "echo_exporter/metrics_server.h"
#include "echo_exporter/probe_recorder.h"
#include "src/app/dispatcher.h"
#include "src/app/on_demand_prober.h"
#include "src/base/log.h"

namespace echo_exporter {
namespace {

enum class Phase { kCreated, kRunning, kStopping };

class ExporterImpl final : public Exporter {
 public:
  ExporterImpl(const ExporterConfig& config, AddressLookup& lookup)
      : config_(config),
        recorder_(config.rtt_buckets, Clock::System(),
                  EchoTransportSeesStrayReplies()),
        lookup_(lookup),
        book_(lookup, AddressBook::Options{},
              [this](const std::string& name, const Error& error) {
                OnLookupFailure(name, error);
              }) {}

  ~ExporterImpl() override {
    Stop();
    // Stop() does not wait for every HTTP request, and one for /probe uses the
    // prober and the transport: the server's end does wait.
    server_.reset();
    prober_.reset();
    // What did not end while stopping ends here, and is still reported to the
    // dispatcher.
    transport_.reset();
  }

  Status Open(const TransportFactory& create_transport);

  void Start() override;
  void Stop() override;
  std::vector<std::string> Urls() const override { return server_->Urls(); }

 private:
  void AddPairs();
  Endpoint SourceEndpoint(const SourceConfig& source);
  Endpoint DestinationEndpoint(const DestinationConfig& destination,
                               Nanoseconds refresh);
  MetricsServerHandlers Handlers();
  std::string NotReadyReason() const;
  void OnLookupFailure(const std::string& name, const Error& error);

  const ExporterConfig config_;
  std::atomic<Phase> phase_{Phase::kCreated};

  // In the order of the data flow, which is also the order of dependence: what
  // comes later uses what comes before and is destroyed first.
  ProbeRecorder recorder_;
  AddressLookup& lookup_;
  AddressBook book_;
  std::unique_ptr<EchoTransport> transport_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<OnDemandProber> prober_;
  std::unique_ptr<MetricsServer> server_;
};

Status ExporterImpl::Open(const TransportFactory& create_transport) {
  EchoTransportOptions options;
  options.max_in_flight = config_.max_in_flight;
  options.on_stray_reply = [this](std::uint64_t tag, StrayReply kind) {
    dispatcher_->OnStrayReply(tag, kind);
  };
  auto transport = create_transport(options, [this](const EchoResult& result) {
    dispatcher_->OnResult(result);
  });
  if (!transport.ok()) return transport.error();
  transport_ = std::move(transport).value();
  dispatcher_ = std::make_unique<Dispatcher>(
      Clock::System(), *transport_, book_, recorder_, config_.drain_timeout);
  prober_ = std::make_unique<OnDemandProber>(config_, Clock::System(), lookup_,
                                             *transport_, *dispatcher_);
  auto server = MetricsServer::Create(config_.listen_addresses, Handlers());
  if (!server.ok()) return server.error();
  server_ = std::move(server).value();
  AddPairs();
  recorder_.RecordConfigLoad(true);
  return std::monostate{};
}

void ExporterImpl::AddPairs() {
  std::vector<std::vector<DispatchedPair>> groups(config_.groups.size());
  PairId next_id = 0;
  for (const PairConfig& pair : config_.pairs) {
    const GroupConfig& group = config_.groups[pair.group];
    const SourceConfig& source = group.sources[pair.source];
    const DestinationConfig& destination = group.destinations[pair.destination];
    const PairId id = next_id++;
    recorder_.AddPair(
        id, {group.name, source.name, destination.name, group.labels});
    groups[pair.group].push_back(
        {id, SourceEndpoint(source),
         DestinationEndpoint(destination, group.dns_refresh), group.echo});
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    dispatcher_->AddGroup(groups[i], config_.groups[i].interval);
  }
}

Endpoint ExporterImpl::SourceEndpoint(const SourceConfig& source) {
  switch (source.kind) {
    case SourceConfig::Kind::kAuto:
      return {};
    case SourceConfig::Kind::kAddress:
      return {.address = source.address, .entry = {}};
    case SourceConfig::Kind::kInterface:
      return {.address = {},
              .entry = book_.WatchInterface(source.interface_name)};
  }
  return {};
}

Endpoint ExporterImpl::DestinationEndpoint(const DestinationConfig& destination,
                                           Nanoseconds refresh) {
  if (destination.address) return {.address = destination.address, .entry = {}};
  return {.address = {}, .entry = book_.WatchName(destination.name, refresh)};
}

MetricsServerHandlers ExporterImpl::Handlers() {
  MetricsServerHandlers handlers;
  handlers.metrics = [this](const TextSink& sink) {
    recorder_.Render(transport_->Stats(), sink);
  };
  handlers.metrics_memory = [this] { return recorder_.RenderMemory(); };
  handlers.probe = [this](const ProbeQuery& query) {
    return prober_->Probe(query);
  };
  handlers.config = [this] { return ConfigToToml(config_); };
  handlers.not_ready_reason = [this] { return NotReadyReason(); };
  handlers.pair_count = [this] { return config_.pairs.size(); };
  handlers.on_request = [this](std::string_view handler, int status) {
    recorder_.RecordHttpRequest(handler, status);
  };
  return handlers;
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

void ExporterImpl::OnLookupFailure(const std::string& name,
                                   const Error& error) {
  recorder_.RecordResolveFailure();
  Log(LogLevel::kWarn, "address lookup failed",
      {{"name", name}, {"error", error.message}});
}

void ExporterImpl::Start() {
  dispatcher_->Start();
  server_->Start();
  phase_ = Phase::kRunning;
  Log(LogLevel::kInfo, "started",
      {{"pairs", std::to_string(config_.pairs.size())},
       {"transport", transport_->Describe()},
       {"max_in_flight", std::to_string(transport_->max_in_flight())}});
}

void ExporterImpl::Stop() {
  if (server_ == nullptr ||
      phase_.exchange(Phase::kStopping) == Phase::kStopping)
    return;
  dispatcher_->Stop();
  server_->Stop();
  Log(LogLevel::kInfo, "stopped",
      {{"in_flight", std::to_string(transport_->in_flight())}});
}

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::Create(const ExporterConfig& config,
                                                   Environment environment) {
  auto exporter = std::make_unique<ExporterImpl>(config, *environment.lookup);
  if (Status opened = exporter->Open(environment.create_transport);
      !opened.ok()) {
    return opened.error();
  }
  return std::unique_ptr<Exporter>(std::move(exporter));
}

}  // namespace echo_exporter
