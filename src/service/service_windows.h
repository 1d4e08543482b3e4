#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <chrono>
#include <string>

#include "echo_exporter/result.h"

namespace echo_exporter {

/// The name of the Windows service.
inline constexpr wchar_t kServiceName[] = L"echo_exporter";

/// The SID of its account, NT SERVICE\\echo_exporter. It follows from the name
/// (the SHA-1 digest of the name in capitals as UTF-16, as five numbers), on
/// every machine and also before there is a service.
inline constexpr char kServiceSid[] =
    "S-1-5-80-3346263763-1372307240-3842606757-558583402-3289773060";

/// The folder of the service's configuration: C:\\ProgramData\\echo_exporter.
std::wstring ServiceFolder();

/// Who may do what in the folder or, with `logs`, in that for log files, in the
/// notation of Windows (SDDL); files inherit it. Pure.
std::string ServiceFolderAccess(bool logs);

/// Makes the folder, and `logs` in it, where they do not exist, and takes them
/// from every other user: Administrators own them and may do anything, as may
/// SYSTEM; the service may read, and write to `logs`; files inherit this. In
/// C:\\ProgramData a folder would else be open to all users, who could also
/// have made it before. Rejects a link in its place. Requires an administrator.
Status ProtectServiceFolder(const std::wstring& folder);

/// Removes both where they are empty.
void RemoveEmptyServiceFolder(const std::wstring& folder);

/// Waits for at most `patience` until the process `id` has ended; true when it
/// has. `process` is a handle to wait for, or null where the system gave none:
/// it may refuse one to an administrator for the process of another account,
/// and then it is asked for one again and again.
bool AwaitProcessEnd(HANDLE process, DWORD id,
                     std::chrono::milliseconds patience);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_WINDOWS_H_
