#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include "src/service/service_folder_windows.h"

#include <aclapi.h>
#include <sddl.h>

#include <memory>
#include <vector>

#include "src/base/text_windows.h"
#include "src/service/service_windows.h"

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
  const DWORD kind = GetFileAttributesW(path.c_str());
  if (kind == INVALID_FILE_ATTRIBUTES ||
      (kind & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
      (kind & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    return FolderError(path, "it is a link or no folder");
  }
  PSID owner = nullptr;
  ACL* list = nullptr;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  GetSecurityDescriptorOwner(descriptor, &owner, &defaulted);
  GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted);
  // It passes the new entries on to what is in the folder already.
  std::wstring writable_path = path;
  const DWORD error = SetNamedSecurityInfoW(
      writable_path.data(), SE_FILE_OBJECT,
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
