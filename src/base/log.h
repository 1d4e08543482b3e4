#ifndef ECHO_EXPORTER_SRC_BASE_LOG_H_
#define ECHO_EXPORTER_SRC_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace echo_exporter {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// "debug", "info", "warn", "error".
std::optional<LogLevel> ParseLogLevel(std::string_view text);
/// "logfmt", "json".
std::optional<LogFormat> ParseLogFormat(std::string_view text);

/// One field of an event, such as {"pair", "wan1 -> 192.0.2.1"}. A name is
/// [a-z_]+ and not one of time, level, msg; a value may be any text.
struct LogField {
  std::string_view name;
  std::string value;
};

/// What Log() writes, and where to.
struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kLogfmt;
  /// Path of the log file; empty: none, lines go to the standard error stream.
  std::string file;
  /// Size in bytes (from 1) from which on a new file is begun. The old one gets
  /// the number 1, as in echo.1.log, and what had 1 gets 2, and so on.
  std::uint64_t max_file_size = std::uint64_t{100} << 20;
  /// Old files that stay, 0 .. 1000, besides the one that is written to.
  std::uint32_t kept_files = 3;
  /// Nobody sees the standard error stream: write to the system's own log
  /// instead, where there is one.
  bool no_console = false;
};

/// Sets what Log() writes, and where to; before the first call: LogOptions{}.
/// Call it before anything is logged.
///
/// A log file that cannot be written to stops nothing: lines go to where they
/// would go without it, and it is tried again from time to time. A file that
/// somebody moved away is made anew.
void ConfigureLog(const LogOptions& options);

/// Writes one event as one line: time (UTC, RFC 3339 with milliseconds),
/// level, msg, fields; any text is quoted and escaped so that it cannot break
/// the line or its format. Never blocks on the stream for the caller: lines
/// are handed to a background thread, and the oldest are dropped when it
/// cannot keep up. Thread-safe.
void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields = {});

/// Formats one event as Log() writes it, without newline. Pure; `time` is the
/// text of the time field.
std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields);

/// Waits until what was logged is written. Call it once, before the process
/// ends; Log() does nothing afterwards.
void FlushLog();

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_LOG_H_
