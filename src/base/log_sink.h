#ifndef ECHO_EXPORTER_SRC_BASE_LOG_SINK_H_
#define ECHO_EXPORTER_SRC_BASE_LOG_SINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"
#include "src/base/log.h"

namespace echo_exporter {

/// Where lines of the log go. Confined to one thread, the log's.
class LogSink {
 public:
  virtual ~LogSink() = default;

  /// Writes a line of UTF-8, given without its newline. Never throws; what
  /// cannot be written is lost.
  virtual void Write(LogLevel level, std::string_view line) = 0;
};

/// The sink that `options` ask for.
std::unique_ptr<LogSink> CreateLogSink(const LogOptions& options);

/// The log file of `options`. Lines go to `fallback` while it cannot be written
/// to; `now` tells when to try again.
std::unique_ptr<LogSink> CreateFileSink(const LogOptions& options,
                                        std::unique_ptr<LogSink> fallback,
                                        std::function<SteadyTime()> now);

/// The log that the operating system keeps for programs without a console: the
/// Windows event log, one event a line. Null on Linux, where whoever starts a
/// daemon keeps its standard error stream.
std::unique_ptr<LogSink> CreateSystemSink();

/// `line` as the Windows event log takes it, in at most `most` bytes, cut at a
/// character's edge. Its viewer replaces "%1" and "%%1" in the text of events,
/// and IPv6 addresses with a zone look like that: a space comes in between.
/// Pure.
std::string EventText(std::string_view line, std::size_t most);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_LOG_SINK_H_
