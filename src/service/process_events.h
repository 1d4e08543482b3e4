#pragma once

#include <memory>
#include <optional>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Requests to this process by the operating system or its administrator.
///
/// kStop: Ctrl-C, Ctrl-Break, closing the console, logging off and shutting
/// down on Windows; SIGINT and SIGTERM on Linux. A stop is sticky: every later
/// WaitFor() returns it. The caller drains requests and returns from main(); a
/// second Ctrl-C ends the process at once.
///
/// kReload: SIGHUP on Linux. Reloads that arrive before WaitFor() returns are
/// merged.
///
/// One object at a time in a process. Thread-safe.
class ProcessEvents {
 public:
  enum class Event { kStop, kReload };

  /// Receives events until destroyed. Without `reload`, SIGHUP keeps its
  /// default action, which ends the process.
  static std::unique_ptr<ProcessEvents> Create(bool reload);

  virtual ~ProcessEvents() = default;

  /// The next event; absent when there was none for `duration` (0 .. 24 h;
  /// absent: no limit). A stop takes precedence over a reload.
  virtual std::optional<Event> WaitFor(std::optional<Nanoseconds> duration) = 0;

  /// Raises an event from within the process; it does not count as a Ctrl-C.
  virtual void Raise(Event event) = 0;
};

/// From now on, writing to a pipe or socket whose reader has closed it fails
/// with an error; by default it ends the process on systems other than Windows.
void IgnoreBrokenPipes();

}  // namespace echo_exporter
