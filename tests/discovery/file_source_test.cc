#include "src/discovery/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "tests/discovery/list_services.h"

namespace echo_exporter {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class FileSourceTest : public ListSourceFixture {
 protected:
  /// Looks now, and later whenever it is due, until two looks have seen what is
  /// there.
  std::vector<std::string> Settle(FileSource& source) {
    source.Look(clock_.Now());
    for (int i = 0; i < 2; ++i) {
      clock_.Advance(FileSource::kInterval);
      source.Look(clock_.Now());
    }
    return Use(source);
  }

  std::vector<std::string> LookOnce(FileSource& source) {
    clock_.Advance(FileSource::kInterval);
    source.Look(clock_.Now());
    return Use(source);
  }

  FileSource SourceOf(const std::vector<std::string>& names) {
    FileDiscoveryConfig config;
    for (const auto& name : names) config.files.push_back(folder_.Path(name));
    return {services_, config};
  }
};

TEST_F(FileSourceTest, ReadsTheFilesThatMatch) {
  folder_.Write("b.json", ListOf("b"));
  folder_.Write("a.json", ListOf("a"));
  folder_.Write("c.yml", "- targets: [c]\n");
  folder_.Write("d.yaml.bak", ListOf("d"));
  FileSource source = SourceOf({"*.json", "c.yml", "c*.yml"});
  source.Look(clock_.Now());
  EXPECT_THAT(Use(source), ElementsAre("a", "b", "c"));
  folder_.Write("e.json", ListOf("e"));
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b", "c", "e"));
}

TEST_F(FileSourceTest, AChangeCountsWhenTwoLooksHaveSeenIt) {
  folder_.Write("a.yml", "- targets: [a, b]\n");
  FileSource source = SourceOf({"a.yml"});
  source.Look(clock_.Now());
  EXPECT_THAT(Use(source), ElementsAre("a", "b"));
  // Half written, and yet a valid list.
  folder_.Write("a.yml", "- targets: [c]\n");
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  folder_.Write("a.yml", "- targets: [c, d]\n");
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  // The second look comes sooner.
  clock_.Advance(FileSource::kSettling);
  source.Look(clock_.Now());
  EXPECT_THAT(Use(source), ElementsAre("c", "d"));
  EXPECT_EQ(Failures(source), 0U);
}

TEST_F(FileSourceTest, WhatIsNoGoodKeepsTheLastGoodTargets) {
  folder_.Write("a.json", ListOf("a"));
  FileSource source = SourceOf({"a.json"});
  source.Look(clock_.Now());
  EXPECT_THAT(Use(source), ElementsAre("a"));
  std::uint64_t failures = 0;
  for (const std::string& text :
       {std::string(), std::string("[{\"targets\": [\"b\""),
        std::string("null"), std::string("[{\"targets\": []}]"),
        std::string("[{\"targets\": [\"b:80\"]}]"), std::string("\xff\xfe")}) {
    folder_.Write("a.json", text);
    EXPECT_THAT(Settle(source), ElementsAre("a")) << text;
    EXPECT_GT(Failures(source), failures) << text;
    failures = Failures(source);
  }
  std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  std::filesystem::create_directory(PathFromUtf8(folder_.Path("a.json")));
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
  // A hole of that size.
  std::ofstream(PathFromUtf8(folder_.Path("a.json"))) << "[";
  std::filesystem::resize_file(PathFromUtf8(folder_.Path("a.json")),
                               kMaxTargetListBytes + 1);
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  folder_.Write("a.json", ListOf("z"));
  EXPECT_THAT(Settle(source), ElementsAre("z"));
}

TEST_F(FileSourceTest, AnExplicitEmptyListEmptiesOnTheSecondLook) {
  folder_.Write("a.json", ListOf("a"));
  FileSource source = SourceOf({"a.json"});
  source.Look(clock_.Now());
  EXPECT_THAT(Use(source), ElementsAre("a"));
  folder_.Write("a.json", "[]");
  EXPECT_THAT(LookOnce(source), ElementsAre("a"));
  EXPECT_THAT(LookOnce(source), IsEmpty());
}

TEST_F(FileSourceTest, AFileIsRemovedWhereOthersOfItsPatternStay) {
  folder_.Write("a.json", ListOf("a"));
  folder_.Write("b.json", ListOf("b"));
  FileSource source = SourceOf({"*.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a", "b"));
  std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
  EXPECT_THAT(Settle(source), ElementsAre("a", "b"));
  EXPECT_EQ(source.removed(), 0U);
  clock_.Advance(FileSource::kGone);
  EXPECT_THAT(LookOnce(source), ElementsAre("b"));
  EXPECT_EQ(source.removed(), 1U);
  EXPECT_FALSE(services_.store.Load(folder_.Path("a.json")));
  // What was counted of it stays counted.
  EXPECT_EQ(Failures(source), 0U);
  EXPECT_GE(source.removed_failures(), 1U);
  // The last one may be gone because the folder is.
  std::filesystem::remove(PathFromUtf8(folder_.Path("b.json")));
  EXPECT_THAT(Settle(source), ElementsAre("b"));
  clock_.Advance(2 * FileSource::kGone);
  EXPECT_THAT(Settle(source), ElementsAre("b"));
}

TEST_F(FileSourceTest, AFileThatTheConfigurationNamesIsNeverRemoved) {
  std::filesystem::create_directory(PathFromUtf8(folder_.Path("sub")));
  folder_.Write("a.json", ListOf("a"));
  folder_.Write("named.json", ListOf("n"));
  folder_.Write("sub/x.json", ListOf("x"));
  FileSource source = SourceOf({"named.json", "sub/x.json", "*.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a", "n", "x"));
  std::filesystem::remove(PathFromUtf8(folder_.Path("named.json")));
  // The other is there, though not in the folder of the pattern.
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(FileSource::kGone);
    EXPECT_THAT(LookOnce(source), ElementsAre("a", "n", "x"));
  }
  EXPECT_EQ(source.removed(), 0U);
  EXPECT_TRUE(services_.store.Load(folder_.Path("named.json")));
}

TEST_F(FileSourceTest, WhileItsFolderCannotBeReadNoFileIsGone) {
  const auto folder = PathFromUtf8(folder_.Path("d"));
  const auto away = PathFromUtf8(folder_.Path("away"));
  std::filesystem::create_directory(folder);
  folder_.Write("d/a.json", ListOf("a"));
  folder_.Write("d/b.json", ListOf("b"));
  FileSource source = SourceOf({"d/*.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a", "b"));
  std::filesystem::remove(PathFromUtf8(folder_.Path("d/a.json")));
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  std::filesystem::rename(folder, away);
  clock_.Advance(FileSource::kGone);
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  std::filesystem::rename(away, folder);
  EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  clock_.Advance(FileSource::kGone);
  EXPECT_THAT(LookOnce(source), ElementsAre("b"));
}

TEST_F(FileSourceTest, AFileThatNeverStaysTheSameIsToldOf) {
  folder_.Write("a.json", ListOf("a"));
  FileSource source = SourceOf({"a.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  for (int i = 0; i < 10; ++i) {
    folder_.Write("a.json", ListOf("b" + std::to_string(i)));
    clock_.Advance(FileSource::kSettling);
    source.Look(clock_.Now());
  }
  EXPECT_EQ(Failures(source), 0U);
  for (int i = 0; i < 10; ++i) {
    folder_.Write("a.json", ListOf("c" + std::to_string(i)));
    clock_.Advance(FileSource::kSettling);
    source.Look(clock_.Now());
  }
  EXPECT_GT(Failures(source), 0U);
  EXPECT_THAT(Use(source), ElementsAre("a"));
  EXPECT_THAT(Settle(source), ElementsAre("c9"));
}

TEST_F(FileSourceTest, AFileThatComesBackInTimeWasNotRemoved) {
  folder_.Write("a.json", ListOf("a"));
  folder_.Write("b.json", ListOf("b"));
  FileSource source = SourceOf({"*.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a", "b"));
  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
    clock_.Advance(FileSource::kGone / 2);
    EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
    folder_.Write("a.json", ListOf("a"));
    EXPECT_THAT(LookOnce(source), ElementsAre("a", "b"));
  }
}

TEST_F(FileSourceTest, BeginsWithWhatIsStored) {
  folder_.Write("a.json", ListOf("a"));
  {
    FileSource source = SourceOf({"a.json"});
    EXPECT_THAT(Settle(source), ElementsAre("a"));
  }
  folder_.Write("a.json", "half");
  FileSource source = SourceOf({"a.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  EXPECT_GT(Failures(source), 0U);
}

TEST_F(FileSourceTest, AFileThatWentBeforeTheStartIsAsOneThatGoesLater) {
  folder_.Write("a.json", ListOf("a"));
  folder_.Write("b.json", ListOf("b"));
  folder_.Write("c.yml", "- targets: [c]\n");
  {
    FileSource source = SourceOf({"*.json", "*.yml"});
    EXPECT_THAT(Settle(source), ElementsAre("a", "b", "c"));
  }
  std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
  std::filesystem::remove(PathFromUtf8(folder_.Path("c.yml")));
  ListServices services{.clock = clock_,
                        .store = TargetStore(folder_.Path("state"))};
  FileDiscoveryConfig config;
  config.files = {folder_.Path("*.json"), folder_.Path("*.yml")};
  FileSource source(services, config);
  EXPECT_THAT(Settle(source), ElementsAre("a", "b", "c"));
  EXPECT_GT(Failures(source), 0U);
  // Of a pattern that nothing matches, the folder may be what is not there.
  clock_.Advance(FileSource::kGone);
  EXPECT_THAT(LookOnce(source), ElementsAre("b", "c"));
  EXPECT_EQ(source.removed(), 1U);
}

TEST_F(FileSourceTest, WhatCouldNotBeStoredIsStoredLater) {
  folder_.Write("state", "no folder");
  folder_.Write("a.json", ListOf("a"));
  FileSource source = SourceOf({"a.json"});
  EXPECT_THAT(Settle(source), ElementsAre("a"));
  EXPECT_FALSE(services_.store.Load(folder_.Path("a.json")));
  std::filesystem::remove(PathFromUtf8(folder_.Path("state")));
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_THAT(LookOnce(source), ElementsAre("a"));
  const auto stored = services_.store.Load(folder_.Path("a.json"));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->text, ListOf("a"));
}

}  // namespace
}  // namespace echo_exporter
