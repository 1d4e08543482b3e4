#ifndef ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_WINDOWS_H_
#define ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_WINDOWS_H_

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <string>
#include <vector>

namespace echo_exporter {

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

#endif  // ECHO_EXPORTER_SRC_SERVICE_FILE_PROTECTION_WINDOWS_H_
