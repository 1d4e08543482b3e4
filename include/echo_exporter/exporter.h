#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/http_client.h"
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
  /// Creates a transport that reports to the callback.
  using TransportFactory = std::function<Result<std::unique_ptr<EchoTransport>>(
      const EchoTransportOptions&, EchoTransport::Callback)>;

  /// The exporter's dependencies; tests inject fakes here.
  struct Environment {
    TransportFactory create_transport;
    AddressLookup* lookup = nullptr;  ///< must outlive the exporter
    std::shared_ptr<WebSecurity> web_security = nullptr;  ///< null: none
    /// Loads the configuration again, for Reload(). Empty: reloading is not
    /// available.
    std::function<ConfigOutcome()> load_config = nullptr;
    HttpLimits http_limits = {};
    /// How long before Prometheus's own limit a probe ends.
    Nanoseconds probe_timeout_offset = std::chrono::milliseconds(500);
    WebPlace web_place = {};
    std::string hostname = "localhost";  ///< of this machine, for discovery
    /// How discovery asks servers.
    std::function<Result<HttpAnswer>(const HttpGet&)> fetch = Get;
  };

  /// The result of a Reload().
  struct ReloadReport {
    /// If not, the previous configuration stays in force, as if there had been
    /// no reload.
    bool successful = false;
    /// Why not; empty when there was no memory even for that.
    ConfigErrors errors;
    /// The changes that take effect only after a restart, and the warnings
    /// about the configuration; one sentence each.
    std::vector<std::string> notes;
  };

  /// Binds the listen addresses and opens the transport; does not probe yet.
  static Result<std::unique_ptr<Exporter>> Create(
      ExporterConfig config, const Environment& environment);

  /// Stops.
  virtual ~Exporter() = default;

  /// Starts probing and serving.
  virtual void Start() = 0;

  /// Loads and applies the current configuration, and the web configuration: if
  /// either has errors, both stay as they are. Pairs that are in both the
  /// old and the new one keep their counters, their place in the schedule and
  /// their requests in flight; the series of removed pairs end with their last
  /// outcome. Returns when it is done, wholly or not at all; but without the
  /// memory for it, the web configuration alone may have changed.
  virtual ReloadReport Reload() noexcept = 0;

  /// The same for a configuration that was loaded because its file has changed,
  /// not because somebody asked for it. Rejects one without any pair where
  /// there were some: the file may have been emptied by mistake.
  virtual ReloadReport ReloadChanged(ConfigOutcome loaded) noexcept = 0;

  /// Ends the pairs of continuous modules that nobody has asked for in time. To
  /// be called at least once a minute.
  virtual void EndUnaskedPairs() noexcept = 0;

  /// Stops sending, waits for requests in flight for up to the drain timeout,
  /// then stops serving, so that the last scrape sees every outcome. May be
  /// called more than once.
  virtual void Stop() = 0;

  /// How long the sending thread has been blocked; zero while it sends in time.
  virtual Nanoseconds HeldUpFor() const = 0;

  /// Requests without an outcome; after Stop() those that were given up, which
  /// the system may still be waiting for.
  virtual std::size_t InFlight() const = 0;

  /// EchoTransport::NeedsRawSockets() of its transport.
  virtual bool NeedsRawSockets() const = 0;

  /// Its addresses, such as "http://127.0.0.1:10115".
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter
