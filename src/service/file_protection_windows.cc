// Implementation notes:
//   a) Who owns a file can change its access control list, whatever is in it.
//   b) An existing file cannot be replaced with the right to add files to its
//      folder, which users have in C:\ProgramData, but with that to delete what
//      is in it, or to move the folder itself.
//   c) An entry that is only inherited says nothing of the object itself, and
//      those for the creator and the owner (S-1-3-...) are about the owner.
//   d) No list at all lets everybody do anything; so does a file system that
//      has none (FAT).
//   e) Whoever may rename a folder on the way to a file can put another in its
//      place. The root of a drive cannot be renamed.

#include "src/service/service_windows.h"
//
#include <aclapi.h>
#include <lm.h>
#include <sddl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

#include "src/base/file.h"
#include "src/base/log.h"
#include "src/base/text_windows.h"
#include "src/base/unique_handle_windows.h"
#include "src/service/service.h"

namespace echo_exporter {
namespace {

constexpr DWORD kAnyObject = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
constexpr DWORD kFile =
    kAnyObject | FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_WRITE;
constexpr DWORD kFolder = kAnyObject | FILE_DELETE_CHILD;

constexpr char kEveryone[] = "S-1-1-0";
constexpr char kSystem[] = "S-1-5-18";
constexpr char kAdministrators[] = "S-1-5-32-544";
constexpr char kTrustedInstaller[] =
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";

struct Account {
  std::wstring domain;  ///< may be empty
  std::wstring name;    ///< empty: the system does not know it
};

std::string SidText(PSID sid) {
  wchar_t* text = nullptr;
  if (!ConvertSidToStringSidW(sid, &text)) return "an invalid SID";
  std::string utf8 = ToUtf8(text);
  LocalFree(text);
  return utf8;
}

Account FindAccount(const std::string& sid_text) {
  PSID sid = nullptr;
  std::array<wchar_t, 256> name;
  std::array<wchar_t, 256> domain;
  auto name_size = static_cast<DWORD>(name.size());
  auto domain_size = static_cast<DWORD>(domain.size());
  SID_NAME_USE use{};
  if (!ConvertStringSidToSidW(ToWide(sid_text).c_str(), &sid)) return {};
  const bool known = LookupAccountSidW(nullptr, sid, name.data(), &name_size,
                                       domain.data(), &domain_size, &use) != 0;
  LocalFree(sid);
  if (!known) return {};
  return {.domain = domain.data(), .name = name.data()};
}

/// As in "BUILTIN\\Users (S-1-5-32-545)".
std::string AccountText(const std::string& sid_text) {
  const Account account = FindAccount(sid_text);
  if (account.name.empty()) return sid_text;
  const std::string domain = ToUtf8(account.domain);
  return (domain.empty() ? "" : domain + '\\') + ToUtf8(account.name) + " (" +
         sid_text + ")";
}

/// The accounts and groups that Administrators has, without those of the
/// latter: nobody need ask a domain for them.
std::vector<std::string> FindAdministrators() {
  BYTE* list = nullptr;
  DWORD count = 0;
  DWORD total = 0;
  NetLocalGroupGetMembers(/*servername=*/nullptr,
                          FindAccount(kAdministrators).name.c_str(),
                          /*level=*/0, &list, MAX_PREFERRED_LENGTH, &count,
                          &total, /*resumehandle=*/nullptr);
  std::vector<std::string> sids;
  const auto* const members =
      reinterpret_cast<const LOCALGROUP_MEMBERS_INFO_0*>(list);
  for (DWORD i = 0; list != nullptr && i < count; ++i) {
    sids.push_back(SidText(members[i].lgrmi0_sid));
  }
  NetApiBufferFree(list);
  return sids;
}

/// The account of this process.
std::string OwnSid() {
  HANDLE handle = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle)) {
    return kServiceSid;
  }
  const UniqueKernelHandle token(handle);
  alignas(TOKEN_USER)
      std::array<BYTE, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE>
          buffer;
  DWORD size = 0;
  if (!GetTokenInformation(token.get(), TokenUser, buffer.data(),
                           static_cast<DWORD>(buffer.size()), &size)) {
    return kServiceSid;
  }
  return SidText(reinterpret_cast<const TOKEN_USER*>(buffer.data())->User.Sid);
}

bool MayWrite(const std::string& sid, const std::vector<std::string>& trusted) {
  for (const char* const known :
       {kSystem, kAdministrators, kTrustedInstaller, kServiceSid}) {
    if (sid == known) return true;
  }
  if (std::ranges::find(trusted, sid) != trusted.end()) return true;
  if (sid.starts_with("S-1-3-")) return true;
  // The administrator of a machine or domain, and the groups of administrators
  // of a domain and of all domains.
  return sid.starts_with("S-1-5-21-") &&
         (sid.ends_with("-500") || sid.ends_with("-512") ||
          sid.ends_with("-519"));
}

UniqueFileHandle OpenToExamine(const std::wstring& path) {
  return UniqueFileHandle(
      CreateFileW(path.c_str(), READ_CONTROL,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
}

/// Absent where there is nothing to find fault with. `trusted` begins with the
/// account of this process.
std::optional<std::string> Examine(const std::wstring& path,
                                   SecuredObject object,
                                   const std::vector<std::string>& trusted) {
  const UniqueFileHandle file = OpenToExamine(path);
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD error =
      file ? GetSecurityInfo(
                 file.get(), SE_FILE_OBJECT,
                 OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                 nullptr, nullptr, nullptr, nullptr, &descriptor)
           : GetLastError();
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) {
    return std::nullopt;
  }
  // Whoever owns a file can keep its list from the service, but not the file.
  if (error == ERROR_ACCESS_DENIED && object == SecuredObject::kFile) {
    return ToUtf8(path) +
           ": reading who can change it: " + SystemErrorText(error);
  }
  if (error != ERROR_SUCCESS) {
    // A service needs no right to a folder to read a file in it, and not every
    // file system of a network has lists.
    Log(LogLevel::kWarn, "cannot tell who may change a file",
        {{"file", ToUtf8(path)}, {"error", SystemErrorText(error)}});
    return std::nullopt;
  }
  const ForeignHands hands = FindForeignHands(descriptor, object, trusted);
  LocalFree(descriptor);
  if (hands.none()) return std::nullopt;
  std::string names;
  if (!hands.owner.empty()) names = "its owner, " + AccountText(hands.owner);
  for (const std::string& writer : hands.writers) {
    names += (names.empty() ? "" : "; ") + AccountText(writer);
  }
  return DescribeUnprotected(ToUtf8(path), object, hands, names,
                             trusted.front());
}

/// Where links lead; empty where there are none.
std::wstring FollowLinks(const std::wstring& path) {
  const UniqueFileHandle file = OpenToExamine(path);
  std::wstring target(32768, L'\0');  // the longest possible
  target.resize(
      file ? GetFinalPathNameByHandleW(file.get(), target.data(),
                                       static_cast<DWORD>(target.size()), 0)
           : 0);
  if (target.starts_with(LR"(\\?\UNC\)")) target.erase(2, 6);
  if (target.starts_with(LR"(\\?\)")) target.erase(0, 4);
  return _wcsicmp(target.c_str(), path.c_str()) == 0 ? L"" : target;
}

}  // namespace

ForeignHands FindForeignHands(PSECURITY_DESCRIPTOR descriptor,
                              SecuredObject object,
                              const std::vector<std::string>& trusted) {
  ForeignHands hands;
  BOOL present = FALSE;
  BOOL defaulted = FALSE;
  PSID owner = nullptr;
  if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) ||
      owner == nullptr) {
    hands.owner = kEveryone;
  } else if (const std::string sid = SidText(owner); !MayWrite(sid, trusted)) {
    hands.owner = sid;
  }
  ACL* list = nullptr;
  if (!GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted) ||
      !present || list == nullptr) {
    hands.writers.emplace_back(kEveryone);
    return hands;
  }
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    if (!GetAce(list, i, &entry)) continue;
    const auto& header = *static_cast<const ACE_HEADER*>(entry);
    // Both have this layout; what the latter has besides is a condition.
    if ((header.AceType != ACCESS_ALLOWED_ACE_TYPE &&
         header.AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE) ||
        (header.AceFlags & INHERIT_ONLY_ACE) != 0) {
      continue;
    }
    auto& allowed = *static_cast<ACCESS_ALLOWED_ACE*>(entry);
    const DWORD rights = object == SecuredObject::kFile ? kFile : kFolder;
    const std::string sid = SidText(&allowed.SidStart);
    if ((allowed.Mask & rights) != 0 && !MayWrite(sid, trusted) &&
        std::find(hands.writers.begin(), hands.writers.end(), sid) ==
            hands.writers.end()) {
      hands.writers.push_back(sid);
    }
  }
  return hands;
}

std::string DescribeUnprotected(const std::string& path, SecuredObject object,
                                const ForeignHands& hands,
                                const std::string& names,
                                const std::string& own) {
  const std::string quoted = '"' + path + '"';
  const bool is_file = object == SecuredObject::kFile;
  std::string text =
      path + ": " + (is_file ? "this file" : "what is in this folder") +
      " can be changed by " + names + "; as an administrator, run: ";
  if (!hands.owner.empty()) {
    text += "icacls " + quoted + " /setowner *" + kAdministrators;
  }
  if (hands.writers.empty()) return text;
  if (!hands.owner.empty()) text += " and then: ";
  text += "icacls " + quoted + " /inheritance:r";
  for (const std::string& writer : hands.writers) {
    text += " /remove:g *" + writer;
  }
  const std::string scope = is_file ? "" : "(OI)(CI)";
  text += " /grant *" + std::string(kSystem) + ':' + scope + "F *" +
          kAdministrators + ':' + scope + 'F';
  // One that has full access anyway, as SYSTEM, keeps it.
  return text + " *" + own + ':' + scope + "RX";
}

std::vector<std::string> FindUnprotected(
    const std::vector<std::string>& files) {
  std::vector<std::string> trusted = FindAdministrators();
  trusted.insert(trusted.begin(), OwnSid());
  std::vector<std::string> sentences;
  std::set<std::wstring> folders;
  const auto examine = [&](const std::wstring& path, SecuredObject object) {
    auto sentence = Examine(path, object, trusted);
    if (sentence) sentences.push_back(std::move(*sentence));
  };
  for (const std::string& file : files) {
    std::error_code ignored;
    const std::filesystem::path path =
        std::filesystem::absolute(PathFromUtf8(file), ignored);
    examine(path.wstring(), SecuredObject::kFile);
    const std::filesystem::path target = FollowLinks(path.wstring());
    for (const auto& way : {path, target}) {
      for (auto folder = way.parent_path(); folder.has_relative_path();
           folder = folder.parent_path()) {
        folders.insert(folder.wstring());
      }
    }
  }
  for (const std::wstring& folder : folders) {
    examine(folder, SecuredObject::kFolder);
  }
  return sentences;
}

}  // namespace echo_exporter
