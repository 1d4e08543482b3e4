#ifndef ECHO_EXPORTER_SRC_APP_STOP_SIGNAL_H_
#define ECHO_EXPORTER_SRC_APP_STOP_SIGNAL_H_

#include <memory>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Hears the operating system's wish that this process end: Ctrl-C, Ctrl-Break,
/// the closing of the console, logging off and shutting down on Windows;
/// SIGINT and SIGTERM on Linux. Once it has come it stays.
///
/// Who is told to stop drains and returns from main(). A second Ctrl-C does
/// not wait for that: it ends the process at once.
///
/// One at a time in a process. Thread-safe.
class StopSignal {
 public:
  /// Listens from now on, until destroyed.
  static std::unique_ptr<StopSignal> Create();

  virtual ~StopSignal() = default;

  /// Returns when the process is to stop.
  virtual void Wait() = 0;

  /// The same, for at most `duration` (0 .. 24 h); true when the process is to
  /// stop.
  virtual bool WaitFor(Nanoseconds duration) = 0;

  /// Stops the process from inside; does not count as a Ctrl-C.
  virtual void Raise() = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_STOP_SIGNAL_H_
