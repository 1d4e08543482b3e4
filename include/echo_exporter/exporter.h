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
#include "echo_exporter/result.h"

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
  };

  /// Binds the listen addresses and opens the transport; probes nothing yet.
  static Result<std::unique_ptr<Exporter>> Create(const ExporterConfig& config,
                                                  Environment environment);

  /// Stops.
  virtual ~Exporter() = default;

  /// Begins to probe and to serve.
  virtual void Start() = 0;

  /// Sends nothing more, gives requests in flight their time to end, then
  /// stops serving: the last scrape sees every outcome. May be called more
  /// than once.
  virtual void Stop() = 0;

  /// Where it serves, such as "http://127.0.0.1:10115".
  virtual std::vector<std::string> Urls() const = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_EXPORTER_H_
