#include "src/base/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/fmt/chrono.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/json_quote.h"
#include "src/base/log_sink.h"
#include "src/base/mutex.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kQueueLines = 1024;
constexpr std::chrono::seconds kFlushPatience(3);

/// By LogLevel.
constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info",
                                                         "warn", "error"};

bool IsBareInLogfmt(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '=' && c != '"' && c != '\\';
  });
}

// Appends the fields of one line. In logfmt, too, parsers expect a JSON string
// between quotes.
class LineWriter {
 public:
  explicit LineWriter(LogFormat format) : format_(format) {}

  void Add(std::string_view name, std::string_view value) {
    if (format_ == LogFormat::kLogfmt) {
      if (!line_.empty()) line_ += ' ';
      line_.append(name).append(1, '=');
      line_ += IsBareInLogfmt(value) ? std::string(value) : JsonQuote(value);
    } else {
      line_ += line_.empty() ? "{\"" : ",\"";
      line_.append(name).append("\":").append(JsonQuote(value));
    }
  }

  std::string Finish() && {
    if (format_ == LogFormat::kJson) line_ += '}';
    return std::move(line_);
  }

 private:
  const LogFormat format_;
  std::string line_;
};

// The levels have the same order as those of spdlog, from the second one on.
constexpr int kLowestSeverity = spdlog::level::debug;
static_assert(kLowestSeverity + static_cast<int>(LogLevel::kError) ==
              spdlog::level::err);

// Receives lines from spdlog, on its thread.
class LineReceiver final
    : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LineReceiver(std::unique_ptr<LogSink> target)
      : target_(std::move(target)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    target_->Write(static_cast<LogLevel>(line.level - kLowestSeverity),
                   {line.payload.data(), line.payload.size()});
  }
  void flush_() override {}  // each line is flushed when it is written

 private:
  const std::unique_ptr<LogSink> target_;
};

// Writes lines from a thread of its own.
//
// Thread-safe.
class LineQueue {
 public:
  void Configure(const LogOptions& options) {
    const MutexLock lock(mutex_);
    options_ = options;
  }

  void Write(LogLevel level, const std::string& line) {
    const MutexLock lock(mutex_);
    if (closed_) return;
    if (!logger_) Open();
    logger_->log(static_cast<spdlog::level::level_enum>(
                     kLowestSeverity + static_cast<int>(level)),
                 line);
  }

  // Ends the thread once it has written all lines; later ones are ignored.
  // Returns without that after `patience`.
  void Close(std::chrono::milliseconds patience) {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    {
      const MutexLock lock(mutex_);
      closed_ = true;
      logger_.reset();
      pool = std::move(pool_);
    }
    if (!pool) return;
    // Its last owner joins the thread, which may never come back from a write
    // to a pipe that nobody reads. Only the process's end stops that.
    std::promise<void> joined;
    const std::future<void> done = joined.get_future();
    std::thread joiner;
    try {
      joiner = std::thread(
          [pool = std::move(pool), joined = std::move(joined)]() mutable {
            pool.reset();
            joined.set_value();
          });
    } catch (const std::system_error&) {
      return;  // no thread to be had: it was joined here
    }
    // Joined where it can be: a thread that is still ending while the process
    // ends crashes in the runtime of mingw-w64.
    if (done.wait_for(patience) == std::future_status::ready) {
      joiner.join();
    } else {
      joiner.detach();
    }
  }

 private:
  void Open() REQUIRES(mutex_) {
    pool_ = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    logger_ = std::make_shared<spdlog::async_logger>(
        "echo_exporter",
        std::make_shared<LineReceiver>(CreateLogSink(options_)), pool_,
        spdlog::async_overflow_policy::overrun_oldest);
    logger_->set_level(spdlog::level::trace);  // Log() checks the level
  }

  Mutex mutex_;
  LogOptions options_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<spdlog::details::thread_pool> pool_ GUARDED_BY(mutex_);
  std::shared_ptr<spdlog::async_logger> logger_ GUARDED_BY(mutex_);
};

// Never destroyed: a process that ends without FlushLog() must not wait for the
// thread in a static destructor.
LineQueue& Lines() {
  static LineQueue& lines = *new LineQueue;
  return lines;
}

std::atomic<LogLevel> lowest_level = LogLevel::kInfo;
std::atomic<LogFormat> line_format = LogFormat::kLogfmt;

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  const auto found = std::ranges::find(kLevelNames, text);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevelNames.begin());
}

std::optional<LogFormat> ParseLogFormat(std::string_view text) {
  if (text == "logfmt") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return std::nullopt;
}

void ConfigureLog(const LogOptions& options) {
  lowest_level = options.level;
  line_format = options.format;
  Lines().Configure(options);
}

void Log(LogLevel level, std::string_view message,
         std::initializer_list<LogField> fields) {
  if (level < lowest_level) return;
  try {
    Lines().Write(level, FormatLogLine(line_format,
                                       FormatLogTime(Clock::System().WallNow()),
                                       level, message, fields));
  } catch (const std::exception&) {
    // No memory, or no thread to write the first line: who logs goes on.
  }
}

void LogEach(LogLevel level, std::string_view message, std::string_view field,
             std::span<const std::string> texts) {
  constexpr std::size_t kLines = 50;
  const auto lines = texts.first(std::min(texts.size(), kLines));
  try {
    for (const std::string& text : lines) Log(level, message, {{field, text}});
    if (texts.size() == lines.size()) return;
    const auto others = std::to_string(texts.size() - lines.size());
    Log(level, message, {{field, "and " + others + " more"}});
  } catch (const std::bad_alloc&) {
    // As in Log().
  }
}

// As in "2024-02-29T12:34:56.789Z".
std::string FormatLogTime(WallTime time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%FT%T}.{:03}Z", seconds,
                     (milliseconds - seconds).count());
}

std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields) {
  LineWriter line(format);
  line.Add("time", time);
  line.Add("level", kLevelNames[static_cast<std::size_t>(level)]);
  line.Add("msg", message);
  for (const LogField& field : fields) {
    if (!field.name.empty()) line.Add(field.name, field.value);
  }
  return std::move(line).Finish();
}

void FlushLog() { Lines().Close(kFlushPatience); }

}  // namespace echo_exporter
