#pragma once

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <chrono>
#include <string>
#include <vector>

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

enum class SecuredObject {
  kFile,
  kFolder,  ///< one whose files must not be replaced
};

/// Who could change a file or replace what is in a folder, besides those who
/// may: SYSTEM, Administrators, TrustedInstaller, administrators of the domain,
/// the service's account and those that a caller trusts.
struct ForeignHands {
  /// Its owner, who can give himself any right; empty: one who may.
  std::string owner;
  /// Those that its access control list lets. Entries that refuse are not
  /// considered: what they take away, another group may give back.
  std::vector<std::string> writers;

  bool none() const { return owner.empty() && writers.empty(); }
};

/// Accounts are SIDs as text ("S-1-5-32-545"). Pure. Requires a valid
/// descriptor with owner and access control list.
ForeignHands FindForeignHands(PSECURITY_DESCRIPTOR descriptor,
                              SecuredObject object,
                              const std::vector<std::string>& trusted);

/// The sentence of FindUnprotected(). `names` are those of `hands`, for
/// readers; `own` is the account of this process. Pure.
std::string DescribeUnprotected(const std::string& path, SecuredObject object,
                                const ForeignHands& hands,
                                const std::string& names,
                                const std::string& own);

}  // namespace echo_exporter
