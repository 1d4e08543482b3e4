#include "src/base/log_sink.h"

#include <spdlog/details/os.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "src/base/condition_log.h"
#include "src/base/utf8.h"

namespace echo_exporter {
namespace {

// A full disk or a missing folder is rarely fixed within a second, and each
// retry may wait for a file server.
constexpr auto kRetryInterval = std::chrono::seconds(10);
// How long lines may go to a file that was moved away.
constexpr auto kLookInterval = std::chrono::seconds(1);

void WriteTo(spdlog::sinks::sink& sink, std::string_view line) {
  sink.log(spdlog::details::log_msg("", spdlog::level::info,
                                    {line.data(), line.size()}));
}

std::unique_ptr<spdlog::formatter> LineFormatter() {
  return std::make_unique<spdlog::pattern_formatter>(
      "%v", spdlog::pattern_time_type::utc, "\n");
}

class StandardErrorSink final : public LogSink {
 public:
  StandardErrorSink() { stream_.set_formatter(LineFormatter()); }

  void Write(LogLevel /*level*/, std::string_view line) override {
    try {
      WriteTo(stream_, line);
    } catch (const std::exception&) {
      // The reader of the stream has closed it.
    }
  }

 private:
  spdlog::sinks::stderr_sink_st stream_;
};

class FileSink final : public LogSink {
 public:
  FileSink(const LogOptions& options, std::unique_ptr<LogSink> fallback,
           const Clock& clock)
      : path_(options.file),
        max_size_(static_cast<std::size_t>(options.max_file_size)),
        kept_(options.kept_files),
        fallback_(std::move(fallback)),
        clock_(clock),
        failures_({.level = LogLevel::kError,
                   .begins = "the log file cannot be written to",
                   .ends = "the log file is written to again",
                   .subject = "file"},
                  clock,
                  [this, format = options.format](
                      LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
                    // Not through Log(), which would call Write() again.
                    fallback_->Write(
                        level,
                        FormatLogLine(format, FormatLogTime(clock_.WallNow()),
                                      level, message, fields));
                  }) {}

  void Write(LogLevel level, std::string_view line) override {
    const SteadyTime now = clock_.Now();
    if (!retry_time_ || now >= *retry_time_) {
      try {
        WriteToFile(line, now);
        if (retry_time_) failures_.End(path_);
        retry_time_.reset();
        return;
      } catch (const std::exception& error) {
        file_.reset();
        retry_time_ = now + kRetryInterval;
        failures_.Report(path_, error.what());
      }
    }
    fallback_->Write(level, line);
  }

 private:
  void WriteToFile(std::string_view line, SteadyTime now) {
    if (now >= look_time_) {
      look_time_ = now + kLookInterval;
      if (!spdlog::details::os::path_exists(path_)) file_.reset();
    }
    if (!file_) {
      file_.emplace(path_, max_size_, kept_);
      file_->set_formatter(LineFormatter());
    }
    WriteTo(*file_, line);
    file_->flush();
  }

  const std::string path_;
  const std::size_t max_size_;
  const std::size_t kept_;
  const std::unique_ptr<LogSink> fallback_;
  const Clock& clock_;
  ConditionLog failures_;
  std::optional<spdlog::sinks::rotating_file_sink_st> file_;
  SteadyTime look_time_;
  std::optional<SteadyTime> retry_time_;  // present while lines go elsewhere
};

}  // namespace

std::unique_ptr<LogSink> CreateLogSink(const LogOptions& options) {
  std::unique_ptr<LogSink> sink;
  if (options.no_console) sink = CreateSystemSink();
  if (!sink) sink = std::make_unique<StandardErrorSink>();
  if (options.file.empty()) return sink;
  return CreateFileSink(options, std::move(sink), Clock::System());
}

std::unique_ptr<LogSink> CreateFileSink(const LogOptions& options,
                                        std::unique_ptr<LogSink> fallback,
                                        const Clock& clock) {
  return std::make_unique<FileSink>(options, std::move(fallback), clock);
}

std::string EventText(std::string_view line, std::size_t most) {
  std::string text;
  text.reserve(line.size());
  for (const char c : line) {
    if (c >= '0' && c <= '9' && text.ends_with('%')) text += ' ';
    text += c;
  }
  text.resize(Utf8Prefix(text, most).size());
  return text;
}

}  // namespace echo_exporter
