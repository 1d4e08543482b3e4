#ifndef ECHO_EXPORTER_SRC_SERVICE_PROCESS_EVENTS_H_
#define ECHO_EXPORTER_SRC_SERVICE_PROCESS_EVENTS_H_

#include <memory>
#include <optional>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Hears what the operating system and its administrator want of this process.
///
/// kStop: Ctrl-C, Ctrl-Break, the closing of the console, logging off and
/// shutting down on Windows; SIGINT and SIGTERM on Linux. Once it has come it
/// stays. Who hears it drains and returns from main(); a second Ctrl-C does
/// not wait for that and ends the process at once.
///
/// kReload: SIGHUP on Linux. Several that come before one is heard are one.
///
/// One at a time in a process. Thread-safe.
class ProcessEvents {
 public:
  enum class Event { kStop, kReload };

  /// Listens from now on, until destroyed. Without `reload`, SIGHUP keeps its
  /// own meaning, which is the end of the process.
  static std::unique_ptr<ProcessEvents> Create(bool reload);

  virtual ~ProcessEvents() = default;

  /// The next event; absent when there was none for `duration` (0 .. 24 h;
  /// absent: for ever). A stop comes before a reload.
  virtual std::optional<Event> WaitFor(std::optional<Nanoseconds> duration) = 0;

  /// Brings an event about from inside; does not count as a Ctrl-C.
  virtual void Raise(Event event) = 0;
};

/// From now on, to write to a pipe or socket whose reader has gone is an error
/// of that call alone; it would end the process on systems other than Windows.
void IgnoreBrokenPipes();

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_PROCESS_EVENTS_H_
