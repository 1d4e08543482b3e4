#ifndef ECHO_EXPORTER_SRC_HTTP_HTTP_LIMITS_H_
#define ECHO_EXPORTER_SRC_HTTP_HTTP_LIMITS_H_

#include <cstddef>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"

namespace echo_exporter {

/// What clients may take from the server, over all listen addresses.
struct HttpLimits {
  /// Connections served at once. One more takes the place of one that keeps
  /// the server waiting, of the client that has the most. Those that probes
  /// cannot take are for the scrapes of several Prometheus servers.
  std::size_t connections = kMostConcurrentProbes + 64;
  /// Threads at once: those of the connections, and of cut ones that have not
  /// ended yet.
  std::size_t threads = 1024;
  /// Bytes of answers that wait for clients to read them. More cuts one
  /// whose client does not read, chosen in the same way.
  std::size_t unsent_bytes = 64 * 1024 * 1024;
  /// Long answers that are rendered at once, those apart that wait for their
  /// clients: more would only take memory from each other, and no less time.
  std::size_t renderings = 16;

  /// From connecting to the first byte of a request, and from there to the
  /// end of its head, however often bytes drip in.
  Nanoseconds receive_timeout = std::chrono::seconds(10);
  /// For a whole answer to be taken by the client's side.
  Nanoseconds send_timeout = std::chrono::seconds(30);
  /// Between requests. A Prometheus that scrapes once a minute keeps its
  /// connection: an idle one costs a sleeping thread and is the first to go
  /// when room is needed.
  Nanoseconds idle_timeout = std::chrono::seconds(65);
  /// How long Stop() waits for requests under way.
  Nanoseconds stop_timeout = std::chrono::seconds(5);
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_HTTP_LIMITS_H_
