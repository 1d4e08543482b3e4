#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"

namespace echo_exporter {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// "debug", "info", "warn", "error".
std::optional<LogLevel> ParseLogLevel(std::string_view text);
/// "logfmt", "json".
std::optional<LogFormat> ParseLogFormat(std::string_view text);

/// One field of an event, such as {"pair", "wan1 -> 192.0.2.1"}. A name is
/// [a-z_]+ and not one of time, level, msg; a value may be any text. A field
/// without a name is left out.
struct LogField {
  std::string_view name;
  std::string value;
};

/// The content, format and destination of the log.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kLogfmt;
  /// Path of the log file; empty: none, lines go to the standard error stream.
  std::string file;
  /// Size in bytes (at least 1) at which the file is rotated. The old file gets
  /// the number 1, as in echo.1.log, number 1 becomes 2, and so on.
  std::uint64_t max_file_size = std::uint64_t{100} << 20;
  /// Rotated files to keep, 0 .. 1000.
  std::uint32_t kept_files = 3;
  /// The standard error stream is not visible: write to the system's own log
  /// instead, if there is one.
  bool no_console = false;
};

/// Configures Log(); the default is LogOptions{}. Call it before anything is
/// logged.
///
/// While the log file cannot be written to, lines go to where they would go
/// without it, and the file is retried from time to time. A file that was moved
/// away is created again.
void ConfigureLog(const LogOptions& options);

/// Writes one event as one line: time (UTC, RFC 3339 with milliseconds),
/// level, msg, fields; any text is quoted and escaped so that it cannot break
/// the line or its format. Never blocks the caller on the stream: a background
/// thread writes the lines, and the oldest are dropped when it cannot keep up.
/// Never throws: a line for which there is no memory is dropped. Thread-safe.
///
/// What may repeat while a condition lasts goes through a ConditionLog.
/// docs/operations.md lists every message.
void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields = {});

/// Logs what is found all at once, such as the errors of a file: a line for
/// each of the first 50 `texts`, which is the value of `field`, and one with
/// the number of the others. Otherwise as Log().
void LogEach(LogLevel level, std::string_view message, std::string_view field,
             std::span<const std::string> texts);

/// The text of the time field. Pure.
std::string FormatLogTime(WallTime time);

/// Formats one event as Log() writes it, without newline. Pure; `time` is the
/// text of the time field.
std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields);

/// Waits until all logged lines are written, for at most three seconds: nobody
/// may be reading them. Call it once, before the process ends; Log() does
/// nothing afterwards.
void FlushLog();

}  // namespace echo_exporter
