#ifndef ECHO_EXPORTER_SRC_BASE_EVENT_SOURCE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_BASE_EVENT_SOURCE_WINDOWS_H_

namespace echo_exporter {

/// The name under which this program writes to the Windows event log.
inline constexpr wchar_t kEventSource[] = L"echo_exporter";

/// The key below HKEY_LOCAL_MACHINE that registers the source's message file.
inline constexpr wchar_t kEventSourceKey[] =
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"
    L"echo_exporter";

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_EVENT_SOURCE_WINDOWS_H_
