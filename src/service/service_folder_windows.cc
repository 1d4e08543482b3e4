#include "src/service/service_windows.h"
//
#include <aclapi.h>
#include <sddl.h>

#include <memory>
#include <vector>

#include "src/base/text_windows.h"
#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

struct LocalFreer {
  void operator()(void* memory) const { LocalFree(memory); }
};

Error FolderError(const std::wstring& path, const std::string& cause) {
  return {ErrorCode::kNotAllowed,
          "protecting the service's folder: " + ToUtf8(path) + ": " + cause};
}
Error FolderError(const std::wstring& path, DWORD code) {
  return FolderError(path, SystemErrorText(code));
}

Status Protect(const std::wstring& path, bool logs) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
          ToWide(ServiceFolderAccess(logs)).c_str(), SDDL_REVISION_1,
          &descriptor, nullptr)) {
    return FolderError(path, GetLastError());
  }
  const std::unique_ptr<void, LocalFreer> owned(descriptor);
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), descriptor, FALSE};
  if (!CreateDirectoryW(path.c_str(), &attributes) &&
      GetLastError() != ERROR_ALREADY_EXISTS) {
    return FolderError(path, GetLastError());
  }
  // What is examined is what is protected, whatever a user puts in its place.
  const UniqueFileHandle folder(CreateFileW(
      path.c_str(), GENERIC_READ | WRITE_DAC | WRITE_OWNER,
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
      nullptr));
  BY_HANDLE_FILE_INFORMATION kind{};
  if (!folder || !GetFileInformationByHandle(folder.get(), &kind)) {
    return FolderError(path, GetLastError());
  }
  if ((kind.dwFileAttributes &
       (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) !=
      FILE_ATTRIBUTE_DIRECTORY) {
    return FolderError(path, "it is a link or no folder");
  }
  PSID owner = nullptr;
  ACL* list = nullptr;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  GetSecurityDescriptorOwner(descriptor, &owner, &defaulted);
  GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted);
  // It passes the new entries on to what is in the folder already.
  const DWORD error =
      SetSecurityInfo(folder.get(), SE_FILE_OBJECT,
                      OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                          PROTECTED_DACL_SECURITY_INFORMATION,
                      owner, /*psidGroup=*/nullptr, list, /*pSacl=*/nullptr);
  if (error != ERROR_SUCCESS) return FolderError(path, error);
  return std::monostate{};
}

std::wstring LogFolder(const std::wstring& folder) {
  return folder + L"\\logs";
}

}  // namespace

std::wstring ServiceFolder() {
  std::vector<wchar_t> path(32768);  // the longest possible
  ExpandEnvironmentStringsW(L"%ProgramData%\\echo_exporter", path.data(),
                            static_cast<DWORD>(path.size()));
  return path.data();
}

// Of the service, 0x1200a9 is to read and to execute; 0x1301bf, to write and to
// delete, too. OICI: files and folders in it inherit the entry.
std::string ServiceFolderAccess(bool logs) {
  return std::string(
             "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
             "(A;OICI;") +
         (logs ? "0x1301bf" : "0x1200a9") + ";;;" + kServiceSid + ")";
}

Status ProtectServiceFolder(const std::wstring& folder) {
  if (Status status = Protect(folder, /*logs=*/false); !status.ok())
    return status;
  return Protect(LogFolder(folder), /*logs=*/true);
}

void RemoveEmptyServiceFolder(const std::wstring& folder) {
  RemoveDirectoryW(LogFolder(folder).c_str());
  RemoveDirectoryW(folder.c_str());
}

}  // namespace echo_exporter
