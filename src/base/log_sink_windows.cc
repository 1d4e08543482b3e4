// Implementation notes:
//   a) The text of an event comes from the message file that is registered for
//      its source. This program is that file, and all its messages are "%1".
//   b) An unregistered source accepts events as well; the viewer then puts a
//      notice before their text.
//   c) A string of an event is limited to 31,839 characters.

#include <windows.h>

#include "src/base/event_messages_windows.h"  // made from the .mc file
#include "src/base/event_source_windows.h"
#include "src/base/log_sink.h"
#include "src/base/text_windows.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMostBytes = 31000;

struct EventKind {
  WORD type;
  DWORD message;
};

EventKind KindOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
    case LogLevel::kInfo:
      return {EVENTLOG_INFORMATION_TYPE, ECHO_EXPORTER_INFORMATION};
    case LogLevel::kWarn:
      return {EVENTLOG_WARNING_TYPE, ECHO_EXPORTER_WARNING};
    case LogLevel::kError:
      return {EVENTLOG_ERROR_TYPE, ECHO_EXPORTER_ERROR};
  }
  return {EVENTLOG_ERROR_TYPE, ECHO_EXPORTER_ERROR};
}

class EventLogSink final : public LogSink {
 public:
  explicit EventLogSink(HANDLE source) : source_(source) {}
  ~EventLogSink() override { DeregisterEventSource(source_); }
  EventLogSink(const EventLogSink&) = delete;
  EventLogSink& operator=(const EventLogSink&) = delete;

  void Write(LogLevel level, std::string_view line) override {
    const std::wstring text = ToWide(EventText(line, kMostBytes));
    const wchar_t* strings[] = {text.c_str()};
    const EventKind kind = KindOf(level);
    ReportEventW(source_, kind.type, /*wCategory=*/0, kind.message,
                 /*lpUserSid=*/nullptr, /*wNumStrings=*/1, /*dwDataSize=*/0,
                 strings, /*lpRawData=*/nullptr);
  }

 private:
  const HANDLE source_;
};

}  // namespace

std::unique_ptr<LogSink> CreateSystemSink() {
  const HANDLE source = RegisterEventSourceW(nullptr, kEventSource);
  if (source == nullptr) return nullptr;
  return std::make_unique<EventLogSink>(source);
}

}  // namespace echo_exporter
