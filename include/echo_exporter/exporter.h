#ifndef ECHO_EXPORTER_EXPORTER_H_
#define ECHO_EXPORTER_EXPORTER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/result.h"
#include "echo_exporter/web_security.h"

namespace echo_exporter {

/// The daemon: wires configuration, scheduler, transport, recorder and HTTP
/// server together, and is the only place that knows them all.
///
/// Start() and Stop() are confined to one thread; everything else is
/// thread-safe.
class Exporter {
 public:
  /// Makes a transport that reports to the callback given.
  using TransportFactory = std::function<Result<std::unique_ptr<EchoTransport>>(
      const EchoTransportOptions&, EchoTransport::Callback)>;

  /// What the exporter takes from outside; the tests put fakes here.
  struct Environment {
    TransportFactory create_transport;
    AddressLookup* lookup = nullptr;  ///< must outlive the exporter
    std::shared_ptr<WebSecurity> web_security = nullptr;  ///< null: none
    /// Reads the configuration again, for Reload(). Empty: it cannot be.
    std::function<ConfigOutcome()> load_config = nullptr;
    HttpLimits http_limits = {};
  };

  /// What became of a Reload().
  struct ReloadReport {
    ConfigErrors errors;  ///< of a bad configuration, which changed nothing
    /// What is different in it but stays as it is until a restart, and what
    /// its author should know; sentences.
    std::vector<std::string> notes;
  };

  /// Binds the listen addresses and opens the transport; probes nothing yet.
  static Result<std::unique_ptr<Exporter>> Create(const ExporterConfig& config,
                                                  Environment environment);

  /// Stops.
  virtual ~Exporter() = default;

  /// Begins to probe and to serve.
  virtual void Start() = 0;

  /// Takes over the configuration as it is now. Pairs that are in both keep
  /// their counters, their place in the schedule and what is in flight; the
  /// series of others end with their last outcome. Returns when it is done.
  virtual ReloadReport Reload() = 0;

  /// Sends nothing more, gives requests in flight their time to end, then
  /// stops serving: the last scrape sees every outcome. May be called more
  /// than once.
  virtual void Stop() = 0;

  /// How long the thread that sends has been held up; zero while it sends in
  /// time.
  virtual Nanoseconds HeldUpFor() const = 0;

  /// As EchoTransport::NeedsRawSockets(), of its transport.
  virtual bool NeedsRawSockets() const = 0;

  /// Where it serves, such as "http://127.0.0.1:10115".
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_EXPORTER_H_
