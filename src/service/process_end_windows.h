#ifndef ECHO_EXPORTER_SRC_SERVICE_PROCESS_END_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_PROCESS_END_WINDOWS_H_

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <chrono>

namespace echo_exporter {

/// Waits for at most `patience` until the process `id` has ended; true when it
/// has. `process` is a handle to wait for, or null where the system gave none:
/// it may refuse one to an administrator for the process of another account,
/// and then it is asked for one again and again.
bool AwaitProcessEnd(HANDLE process, DWORD id,
                     std::chrono::milliseconds patience);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_PROCESS_END_WINDOWS_H_
