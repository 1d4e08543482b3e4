#pragma once

namespace echo_exporter {

/// The name under which this program writes to the Windows event log.
inline constexpr wchar_t kEventSource[] = L"echo_exporter";

/// The key below HKEY_LOCAL_MACHINE that registers the source's message file.
inline constexpr wchar_t kEventSourceKey[] =
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\"
    L"echo_exporter";

/// The message file, as a REG_EXPAND_SZ value: a program of Windows whose
/// messages 1 to 1000 are the event's text. The event log keeps a message file
/// open, so it must not be a file that an upgrade replaces.
inline constexpr wchar_t kEventMessageFile[] =
    L"%SystemRoot%\\System32\\EventCreate.exe";

/// Identifiers of events. They have no severity bits, as the message file's
/// have none.
inline constexpr unsigned long kWarningEvent = 2;
inline constexpr unsigned long kErrorEvent = 3;

}  // namespace echo_exporter
