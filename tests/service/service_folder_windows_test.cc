#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>
//
#include <aclapi.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <sddl.h>

#include <array>
#include <cstdint>
#include <cwctype>
#include <filesystem>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "src/base/text_windows.h"
#include "src/service/service_windows.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// How Windows derives the SID of a service from its name.
std::string SidOfService(std::wstring name) {
  for (wchar_t& letter : name)
    letter =
        static_cast<wchar_t>(std::towupper(static_cast<std::wint_t>(letter)));
  std::array<std::uint32_t, SHA_DIGEST_LENGTH / 4> numbers;
  SHA1(reinterpret_cast<const unsigned char*>(name.data()),
       name.size() * sizeof(wchar_t),
       reinterpret_cast<unsigned char*>(numbers.data()));
  std::string sid = "S-1-5-80";
  for (const std::uint32_t number : numbers) {
    sid += '-' + std::to_string(number);
  }
  return sid;
}

TEST(ServiceSidTest, FollowsFromTheName) {
  EXPECT_EQ(SidOfService(L"TrustedInstaller"),  // a well-known one
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
  EXPECT_EQ(SidOfService(kServiceName), kServiceSid);
}

/// Those, besides administrators, who could replace what is in the folder.
std::vector<std::string> WritersOf(const std::wstring& folder) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  EXPECT_EQ(GetNamedSecurityInfoW(
                folder.c_str(), SE_FILE_OBJECT,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, nullptr,
                nullptr, nullptr, nullptr, &descriptor),
            static_cast<DWORD>(ERROR_SUCCESS));
  const ForeignHands hands =
      FindForeignHands(descriptor, SecuredObject::kFolder, {});
  LocalFree(descriptor);
  return hands.writers;
}

// Wine keeps of an access control list what a mode of Unix can hold: whether
// others than the owner may write, but not who.
constexpr char kEverybody[] = "S-1-1-0";

void OpenToEverybody(const std::wstring& folder) {
  PSECURITY_DESCRIPTOR open = nullptr;
  ASSERT_TRUE(ConvertStringSecurityDescriptorToSecurityDescriptorW(
      L"D:(A;;FA;;;WD)", SDDL_REVISION_1, &open, nullptr));
  ASSERT_TRUE(
      SetFileSecurityW(folder.c_str(), DACL_SECURITY_INFORMATION, open));
  LocalFree(open);
  ASSERT_THAT(WritersOf(folder), Contains(kEverybody));
}

class ServiceFolderTest : public testing::Test {
 protected:
  const TemporaryFolder temporary_;
  const std::wstring folder_ = ToWide(temporary_.Path("echo_exporter"));
  const std::wstring logs_ = folder_ + L"\\logs";
};

TEST_F(ServiceFolderTest, IsClosedByTheInstallerInTheSameWay) {
  const auto statements = ReadFile("deploy/windows/echo_exporter.sql", 100'000);
  ASSERT_TRUE(statements.ok()) << statements.error().message;
  for (const bool logs : {false, true}) {
    EXPECT_THAT(statements.value(),
                HasSubstr('\'' + ServiceFolderAccess(logs) + '\''));
  }
  EXPECT_NE(ServiceFolderAccess(false), ServiceFolderAccess(true));
}

TEST_F(ServiceFolderTest, IsMadeWithItsLogsAndClosedToOthers) {
  const Status status = ProtectServiceFolder(folder_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  for (const std::wstring& path : {folder_, logs_}) {
    EXPECT_TRUE(std::filesystem::is_directory(path));
    EXPECT_THAT(WritersOf(path), Not(Contains(kEverybody)));
  }
}

// As a user may have made it before the installation.
TEST_F(ServiceFolderTest, IsTakenFromThoseWhoCouldChangeIt) {
  std::filesystem::create_directories(logs_);
  OpenToEverybody(folder_);
  OpenToEverybody(logs_);
  const Status status = ProtectServiceFolder(folder_);
  ASSERT_TRUE(status.ok()) << status.error().message;
  for (const std::wstring& path : {folder_, logs_}) {
    EXPECT_THAT(WritersOf(path), Not(Contains(kEverybody)));
  }
}

TEST_F(ServiceFolderTest, AFileInItsPlaceIsRejected) {
  temporary_.Write("echo_exporter", "");
  const Status status = ProtectServiceFolder(folder_);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("echo_exporter: it is a link"));
}

TEST_F(ServiceFolderTest, WithoutItsParentItIsRejected) {
  const Status status = ProtectServiceFolder(folder_ + L"\\none\\there");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("(3)"));
}

TEST_F(ServiceFolderTest, IsRemovedWhenItIsEmptyOnly) {
  ASSERT_TRUE(ProtectServiceFolder(folder_).ok());
  temporary_.Write("echo_exporter\\kept.toml", "");
  RemoveEmptyServiceFolder(folder_);
  EXPECT_TRUE(std::filesystem::exists(folder_ + L"\\kept.toml"));
  EXPECT_FALSE(std::filesystem::exists(logs_));
  std::filesystem::remove(folder_ + L"\\kept.toml");
  RemoveEmptyServiceFolder(folder_);
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(ServiceFolderTest, IsBesideThoseOfOtherPrograms) {
  EXPECT_THAT(ToUtf8(ServiceFolder()), HasSubstr(R"(:\ProgramData\echo_)"));
}

}  // namespace
}  // namespace echo_exporter
