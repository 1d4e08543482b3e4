// Implementation notes:
//   a) The text of an event comes from the message file that is registered for
//      its source; see event_source_windows.h.
//   b) An unregistered source accepts events as well; the viewer then puts a
//      notice before their text.
//   c) A string of an event is limited to 31,839 characters.
//   d) The Application log is shared by all programs and holds 20 MB by
//      default: lines beyond a rate would push out everybody else's events.

#include <windows.h>

#include <chrono>
#include <cstdint>

#include "src/base/event_source_windows.h"
#include "src/base/log_sink.h"
#include "src/base/text_windows.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMostBytes = 31000;

class EventLogSink final : public LogSink {
 public:
  explicit EventLogSink(HANDLE source) : source_(source) {}
  ~EventLogSink() override {
    ReportLeftOut();
    DeregisterEventSource(source_);
  }
  EventLogSink(const EventLogSink&) = delete;
  EventLogSink& operator=(const EventLogSink&) = delete;

  void Write(LogLevel level, std::string_view line) override {
    if (!limit_.Allows(level, std::chrono::steady_clock::now())) return;
    ReportLeftOut();
    Report(level, line);
  }

 private:
  void ReportLeftOut() {
    const std::uint64_t lines = limit_.TakeLeftOut();
    if (lines == 0) return;
    Report(LogLevel::kWarn,
           std::to_string(lines) +
               " log lines were left out here, where one a second is written; "
               "--log.file takes all");
  }

  void Report(LogLevel level, std::string_view line) {
    const std::wstring text = ToWide(EventText(line, kMostBytes));
    const wchar_t* strings[] = {text.c_str()};
    const bool is_error = level == LogLevel::kError;
    ReportEventW(source_,
                 is_error ? EVENTLOG_ERROR_TYPE : EVENTLOG_WARNING_TYPE,
                 /*wCategory=*/0, is_error ? kErrorEvent : kWarningEvent,
                 /*lpUserSid=*/nullptr, /*wNumStrings=*/1, /*dwDataSize=*/0,
                 strings, /*lpRawData=*/nullptr);
  }

  const HANDLE source_;
  EventLimit limit_;
};

}  // namespace

std::unique_ptr<LogSink> CreateSystemSink() {
  const HANDLE source = RegisterEventSourceW(nullptr, kEventSource);
  if (source == nullptr) return nullptr;
  return std::make_unique<EventLogSink>(source);
}

}  // namespace echo_exporter
