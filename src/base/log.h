#ifndef ECHO_EXPORTER_SRC_BASE_LOG_H_
#define ECHO_EXPORTER_SRC_BASE_LOG_H_

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

/// Sets what Log() writes; before the first call: info, logfmt. Lines go to
/// the standard error stream. Call it before other threads log.
void ConfigureLog(LogLevel level, LogFormat format);

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
