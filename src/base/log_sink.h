#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/log.h"
#include "src/base/token_bucket.h"

namespace echo_exporter {

/// The destination of log lines. Confined to the log's thread.
class LogSink {
 public:
  virtual ~LogSink() = default;

  /// Writes a line of UTF-8, passed without its newline. Never throws; a line
  /// that cannot be written is lost.
  virtual void Write(LogLevel level, std::string_view line) = 0;
};

/// The sink according to `options`.
std::unique_ptr<LogSink> CreateLogSink(const LogOptions& options);

/// The log file of `options`. Lines go to `fallback` while it cannot be written
/// to, and so does what there is to tell about that; `clock` is the one for
/// retries and outlives the sink.
std::unique_ptr<LogSink> CreateFileSink(const LogOptions& options,
                                        std::unique_ptr<LogSink> fallback,
                                        const Clock& clock);

/// The operating system's log for programs without a console: the Windows event
/// log, one event per line. Null on Linux, where the parent of a daemon
/// collects its standard error stream.
std::unique_ptr<LogSink> CreateSystemSink();

/// Decides which log lines go to a log of the system that all programs share
/// and that keeps only so much: warnings and errors, one a second, and 20 at
/// once, so that all errors of a small configuration are in it.
///
/// Confined to one thread at a time.
class EventLimit {
 public:
  /// Whether a line of this level is written; counts the warnings and errors
  /// that are not. Requires a `now` that never decreases.
  bool Allows(LogLevel level, SteadyTime now) {
    if (level < LogLevel::kWarn) return false;
    if (bucket_.Take(now) == Nanoseconds::zero()) return true;
    ++left_out_;
    return false;
  }

  /// How many were left out since the last call.
  std::uint64_t TakeLeftOut() { return std::exchange(left_out_, 0); }

 private:
  TokenBucket bucket_{std::chrono::seconds(1), /*burst=*/20};
  std::uint64_t left_out_ = 0;
};

/// `line` as text of a Windows event, in at most `most` bytes, truncated
/// between characters. The viewer replaces "%1" and "%%1" in the text of
/// events, and IPv6 addresses with a zone look like that, so a space is
/// inserted. Pure.
std::string EventText(std::string_view line, std::size_t most);

}  // namespace echo_exporter
