#pragma once

#include <functional>
#include <memory>
#include <string>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/http_client.h"
#include "echo_exporter/probe_recorder.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// Turns the configuration of the file into the one that is in effect: with the
/// targets of lists in files and on servers, with a pair for each address of a
/// name where it says so, without this machine, with some neighbours only.
///
/// Lists, names and this machine's addresses are looked at in the background,
/// on a thread of its own that probes never wait for. When they change, it
/// calls `on_change` on that thread, at most once a second; this leads to a
/// Plan() of the same configuration.
///
/// Plan(), Commit() and Abandon() are confined to one thread at a time;
/// everything else is thread-safe.
class Discovery {
 public:
  struct Environment {
    AddressLookup* lookup = nullptr;    ///< must outlive it
    AddressBook* book = nullptr;        ///< the same
    ProbeRecorder* recorder = nullptr;  ///< the same; is told of the lists
    std::string hostname;               ///< of this machine
    std::function<Result<HttpAnswer>(const HttpGet&)> fetch;
    const Clock& clock = Clock::System();
  };

  /// `state_dir`: of the configuration at the start.
  static std::unique_ptr<Discovery> Create(Environment environment,
                                           const std::string& state_dir,
                                           std::function<void()> on_change);
  /// Waits for requests to servers that are under way.
  virtual ~Discovery() = default;

  /// The effective configuration for `config`, as far as lists and addresses
  /// are known; `config` itself where it needs no discovery. Lists of unchanged
  /// sources stay; files of new ones are read, and what was stored is taken. A
  /// list that leads to more than `max_pairs` is left out, and its last good
  /// version used; the error says so where even that is no help. Throws
  /// std::bad_alloc; then, and after an error, nothing has changed; else call
  /// Commit() or Abandon().
  virtual Result<std::shared_ptr<const ExporterConfig>> Plan(
      const std::shared_ptr<const ExporterConfig>& config) = 0;

  /// What was planned is in effect: sources that it lacks end.
  virtual void Commit() noexcept = 0;
  virtual void Abandon() noexcept = 0;

  /// Looks for changes from here on. Throws when the system has no thread.
  virtual void Start() = 0;
  /// No `on_change` begins any more. Does not wait.
  virtual void Stop() = 0;
};

}  // namespace echo_exporter
