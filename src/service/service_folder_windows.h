#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_FOLDER_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_FOLDER_WINDOWS_H_

#include <string>

#include "echo_exporter/result.h"

namespace echo_exporter {

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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_FOLDER_WINDOWS_H_
