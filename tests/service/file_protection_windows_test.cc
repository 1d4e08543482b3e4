#include "src/service/service_windows.h"
//
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sddl.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <string>

#include "src/base/file.h"
#include "src/base/log.h"
#include "src/base/text_windows.h"
#include "src/service/service.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kOwn[] = "S-1-5-21-1-2-3-1001";
constexpr char kAdministrator[] = "S-1-5-21-1-2-3-1003";
constexpr char kUser[] = "S-1-5-21-1-2-3-1002";
constexpr char kUsers[] = "S-1-5-32-545";
constexpr char kAuthenticatedUsers[] = "S-1-5-11";
constexpr char kEveryone[] = "S-1-1-0";

ForeignHands Find(const std::string& sddl,
                  SecuredObject object = SecuredObject::kFile) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  EXPECT_TRUE(ConvertStringSecurityDescriptorToSecurityDescriptorW(
      ToWide(sddl).c_str(), SDDL_REVISION_1, &descriptor, nullptr))
      << sddl << ": " << SystemErrorText(GetLastError());
  if (descriptor == nullptr) return {};
  ForeignHands hands =
      FindForeignHands(descriptor, object, {kOwn, kAdministrator});
  LocalFree(descriptor);
  return hands;
}

ForeignHands FindInFolder(const std::string& sddl) {
  return Find(sddl, SecuredObject::kFolder);
}

TEST(FileProtectionTest, WhatTheInstallerMakesIsWell) {
  const std::string sid(kServiceSid);
  EXPECT_TRUE(FindInFolder("O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
                           "(A;OICI;0x1200a9;;;" +
                           sid + ")")
                  .none());
  EXPECT_TRUE(
      Find("O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;" + sid + ")")
          .none());
}

// As an administrator makes a file in a folder of C:\ProgramData that nobody
// has protected.
TEST(FileProtectionTest, AFileThatUsersMayOnlyReadIsWell) {
  EXPECT_TRUE(
      Find("O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)").none());
  EXPECT_TRUE(FindInFolder("O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)"
                           "(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)"
                           "(A;CIID;DCLCRPCR;;;BU)")
                  .none());
}

// As in a new folder of C:\, where all users may change what others make.
TEST(FileProtectionTest, NamesWhoMayChangeAFile) {
  const ForeignHands hands = Find(
      "O:BAD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)"
      "(A;ID;0x1301bf;;;AU)");
  EXPECT_THAT(hands.writers, ElementsAre(kAuthenticatedUsers));
  EXPECT_EQ(hands.owner, "");
}

TEST(FileProtectionTest, KnowsEachRightByWhichAFileIsChanged) {
  for (const char* right : {"0x2", "0x4", "0x10000", "0x40000", "0x80000", "FA",
                            "FW", "GA", "GW"}) {
    EXPECT_THAT(Find(std::string("O:BAD:(A;;") + right + ";;;BU)").writers,
                ElementsAre(kUsers))
        << right;
  }
  // Reading, executing, attributes.
  for (const char* right : {"0x1", "0x8", "0x20", "0x80", "0x100", "0x10", "FR",
                            "FX", "GR", "RC"}) {
    EXPECT_THAT(Find(std::string("O:BAD:(A;;") + right + ";;;BU)").writers,
                IsEmpty())
        << right;
  }
}

TEST(FileProtectionTest, KnowsEachRightByWhichAFileIsReplacedInItsFolder) {
  for (const char* right :
       {"0x40", "0x10000", "0x40000", "0x80000", "FA", "GA"}) {
    EXPECT_THAT(
        FindInFolder(std::string("O:BAD:(A;;") + right + ";;;BU)").writers,
        ElementsAre(kUsers))
        << right;
  }
  // Making further files and folders replaces none.
  for (const char* right : {"0x2", "0x4", "0x6", "0x1200a9"}) {
    EXPECT_THAT(
        FindInFolder(std::string("O:BAD:(A;;") + right + ";;;BU)").writers,
        IsEmpty())
        << right;
  }
}

// He can give himself any right.
TEST(FileProtectionTest, TheOwnerCountsWhateverTheListSays) {
  const ForeignHands hands = Find("O:" + std::string(kUser) + "D:(A;;FA;;;SY)");
  EXPECT_EQ(hands.owner, kUser);
  EXPECT_THAT(hands.writers, IsEmpty());
}

TEST(FileProtectionTest, TheSystemItsAdministratorsAndTheServiceMayWrite) {
  for (const std::string account :
       {"S-1-5-18", "S-1-5-32-544",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        "S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-512", "S-1-5-21-1-2-3-519",
        kServiceSid, kOwn, kAdministrator}) {
    EXPECT_TRUE(Find("O:" + account + "D:(A;;FA;;;" + account + ")").none())
        << account;
  }
  for (const std::string account :
       {"S-1-1-0", "S-1-5-11", "S-1-5-4", "S-1-5-19", "S-1-5-20",
        "S-1-5-32-545", "S-1-5-32-547", "S-1-5-21-1-2-3-513",
        "S-1-5-21-1-2-3-1512", "S-1-5-80-1-2-3-4-5", "S-1-5-32-500"}) {
    const ForeignHands hands =
        Find("O:" + account + "D:(A;;FA;;;" + account + ")");
    EXPECT_EQ(hands.owner, account);
    EXPECT_THAT(hands.writers, ElementsAre(account));
  }
}

TEST(FileProtectionTest, EntriesForWhatInheritsSayNothingOfTheObjectItself) {
  EXPECT_TRUE(
      FindInFolder("O:BAD:(A;OICIIO;FA;;;AU)(A;OICIIO;GA;;;CO)").none());
  EXPECT_TRUE(Find("O:BAD:(A;;FA;;;CO)(A;;FA;;;OW)").none());  // the owner
}

TEST(FileProtectionTest, NoListLetsEverybodyIn) {
  EXPECT_THAT(Find("O:BA").writers, ElementsAre(kEveryone));
  SECURITY_DESCRIPTOR open{};
  ASSERT_TRUE(
      InitializeSecurityDescriptor(&open, SECURITY_DESCRIPTOR_REVISION));
  ASSERT_TRUE(SetSecurityDescriptorDacl(&open, TRUE, /*pDacl=*/nullptr, FALSE));
  EXPECT_THAT(FindForeignHands(&open, SecuredObject::kFile, {}).writers,
              ElementsAre(kEveryone));
  EXPECT_TRUE(Find("O:BAD:").none());  // an empty one lets nobody in
}

TEST(FileProtectionTest, NoOwnerIsNobodyToTrust) {
  EXPECT_EQ(Find("D:(A;;FA;;;SY)").owner, kEveryone);
}

TEST(FileProtectionTest, EachOneIsNamedOnceWhateverIsDeniedToHim) {
  EXPECT_THAT(
      Find("O:BAD:(D;;FA;;;AU)(A;;FA;;;AU)(A;;FW;;;AU)(A;;GA;;;BU)").writers,
      ElementsAre(kAuthenticatedUsers, kUsers));
}

TEST(FileProtectionTest, TheSentenceHasTheCommandThatMendsIt) {
  EXPECT_EQ(DescribeUnprotected(R"(C:\echo\web.yml)", SecuredObject::kFile,
                                {.owner = "", .writers = {kUsers, kUser}},
                                "A; B", kOwn),
            R"(C:\echo\web.yml: this file can be changed by A; B; as an )"
            R"(administrator, run: icacls "C:\echo\web.yml" /inheritance:r )"
            "/remove:g *S-1-5-32-545 /remove:g *S-1-5-21-1-2-3-1002 "
            "/grant *S-1-5-18:F *S-1-5-32-544:F *S-1-5-21-1-2-3-1001:RX");
  EXPECT_EQ(
      DescribeUnprotected(R"(C:\echo)", SecuredObject::kFolder,
                          {.owner = kUser, .writers = {kUser}}, "its owner, A",
                          kOwn),
      R"(C:\echo: what is in this folder can be changed by its owner, A; as )"
      R"(an administrator, run: icacls "C:\echo" /setowner *S-1-5-32-544 )"
      R"(and then: icacls "C:\echo" /inheritance:r )"
      "/remove:g *S-1-5-21-1-2-3-1002 "
      "/grant *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F "
      "*S-1-5-21-1-2-3-1001:(OI)(CI)RX");
}

/// The list, in SDDL, that icacls makes of a new folder in C:\\ and of what is
/// in it.
std::string ListOf(const std::string& command) {
  static const std::regex kGrant(
      R"re((?:\*(S-1-[0-9-]+)|"NT SERVICE\\echo_exporter):\(OI\)\(CI\)(F|RX)"?)re");
  const bool inherits = command.find("/inheritance:r") == std::string::npos;
  std::string list = inherits ? "D:(A;ID;FA;;;SY)(A;ID;0x1301bf;;;AU)" : "D:P";
  for (std::sregex_iterator grant(command.begin(), command.end(), kGrant), end;
       grant != end; ++grant) {
    list += "(A;;" + std::string((*grant)[2] == "F" ? "FA" : "0x1200a9") +
            ";;;" + ((*grant)[1].matched ? (*grant)[1].str() : kServiceSid) +
            ")";
  }
  return "O:BA" + list;
}

TEST(FileProtectionTest, WhatIsDocumentedProtectsAFolder) {
  const auto page = ReadFile("docs/operations.md", 1'000'000);
  ASSERT_TRUE(page.ok()) << page.error().message;
  std::smatch command;
  ASSERT_TRUE(std::regex_search(
      page.value(), command, std::regex(R"(    icacls (C:\\certs\S*) .*\n)")));
  EXPECT_EQ(command[1], R"(C:\certs)");  // not only one file in it
  for (const auto object : {SecuredObject::kFile, SecuredObject::kFolder}) {
    const std::string list = ListOf(command.str());
    EXPECT_TRUE(Find(list, object).none()) << list;
    EXPECT_THAT(list, HasSubstr(kServiceSid));  // and the service can read
  }
}

TEST(FileProtectionTest, TheCommandThatMendsAFolderDoes) {
  const std::string list = ListOf(
      DescribeUnprotected(R"(C:\echo)", SecuredObject::kFolder,
                          {.owner = "", .writers = {kUsers}}, "A", kOwn));
  EXPECT_TRUE(FindInFolder(list).none()) << list;
  EXPECT_THAT(list, HasSubstr(kOwn));
}

// A file of this process's own account, in a folder of its own.
TEST(FileProtectionTest, FilesOfOnesOwnAreWell) {
  const TemporaryFolder folder;
  EXPECT_THAT(FindUnprotected(
                  {folder.Write("a.toml", ""), folder.Path("missing.toml")}),
              IsEmpty());
}

void OpenToEverybody(const std::string& path) {
  PSECURITY_DESCRIPTOR open = nullptr;
  ASSERT_TRUE(ConvertStringSecurityDescriptorToSecurityDescriptorW(
      L"D:(A;;FA;;;WD)", SDDL_REVISION_1, &open, nullptr));
  ASSERT_TRUE(
      SetFileSecurityW(ToWide(path).c_str(), DACL_SECURITY_INFORMATION, open));
  LocalFree(open);
}

TEST(FileProtectionTest, FindsAFileThatEverybodyMayChange) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("web.yml", "");
  OpenToEverybody(path);
  EXPECT_THAT(FindUnprotected({folder.Write("a.toml", ""), path}),
              ElementsAre(AllOf(HasSubstr("web.yml: this file can be changed"),
                                HasSubstr("S-1-1-0"), HasSubstr("icacls"),
                                Not(HasSubstr("a.toml")))));
}

// He can put another folder in the place of one in it.
TEST(FileProtectionTest, FindsAFolderOnTheWayThatEverybodyMayChange) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(PathFromUtf8(folder.Path("data/cfg")));
  const std::string path = folder.Write("data/cfg/web.yml", "");
  OpenToEverybody(folder.Path("data"));
  EXPECT_THAT(FindUnprotected({path}),
              ElementsAre(AllOf(HasSubstr("data: what is in this folder"),
                                HasSubstr(kEveryone))));
}

TEST(FileProtectionDeathTest, WhatCannotBeExaminedIsAWarning) {
  EXPECT_EXIT(
      {
        const auto found = FindUnprotected({R"(C:\a<b.toml)"});
        FlushLog();
        std::_Exit(static_cast<int>(found.size()));
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("cannot tell who may change a file"),
            HasSubstr("a<b.toml"), HasSubstr("(123)")));
}

}  // namespace
}  // namespace echo_exporter
