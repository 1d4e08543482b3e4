#include "src/app/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  void Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  FileWatch Watch() const {
    return FileWatch([this] { return ReadConfigFiles(path_); });
  }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.Path("file_watch_test.toml");
};

TEST_F(FileWatchTest, TellsAChangeOnceItWasSeenTwice) {
  Write("a");
  FileWatch watch = Watch();
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
  Write("b");
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.unsettled());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->main.text.ok());
  EXPECT_EQ(text->main.text.value(), "b");
  EXPECT_FALSE(watch.unsettled());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, TellsNothingHalfWritten) {
  Write("abc");
  FileWatch watch = Watch();
  for (const char* const part : {"", "x", "xy"}) {
    Write(part);
    EXPECT_FALSE(watch.Look()) << part;
  }
  Write("abc");
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, TouchingIsNoChange) {
  Write("a");
  FileWatch watch = Watch();
  Write("a");
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
}

TEST_F(FileWatchTest, WhatIsMarkedAsSeenIsNoChange) {
  Write("a");
  FileWatch watch = Watch();
  Write("b");
  EXPECT_FALSE(watch.Look());
  watch.MarkSeen();
  EXPECT_FALSE(watch.unsettled());
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, ComingAndGoingAreChanges) {
  FileWatch watch = Watch();
  EXPECT_FALSE(watch.Look());
  Write("");
  EXPECT_FALSE(watch.Look());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->main.text.ok());
  std::filesystem::remove(path_);
  EXPECT_FALSE(watch.Look());
  const auto gone = watch.Look();
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->main.text.ok());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, ReportsAgainWhatIsForgotten) {
  Write("a");
  FileWatch watch = Watch();
  watch.Forget();
  EXPECT_FALSE(watch.Look());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->main.text.ok());
  EXPECT_EQ(text->main.text.value(), "a");
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, AFolderInItsPlaceIsAChange) {
  Write("");
  FileWatch watch = Watch();
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(watch.Look());
  const auto folder = watch.Look();
  ASSERT_TRUE(folder);
  EXPECT_FALSE(folder->main.text.ok());
}

TEST_F(FileWatchTest, IncludedFilesMayChangeComeAndGo) {
  Write("include = [\"conf.d/*.toml\"]\n");
  const std::filesystem::path conf = folder_.Path("conf.d");
  FileWatch watch = Watch();
  const auto has_changed_once = [&watch] {
    const bool early = watch.Look().has_value();
    const bool seen = watch.Look().has_value();
    return !early && seen && !watch.Look();
  };
  std::filesystem::create_directory(conf);
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
  std::ofstream(conf / "a.toml") << "a";
  EXPECT_TRUE(has_changed_once());
  std::ofstream(conf / "a.toml") << "b";
  EXPECT_TRUE(has_changed_once());
  std::filesystem::rename(conf / "a.toml", conf / "b.toml");
  EXPECT_TRUE(has_changed_once());
  std::ofstream(conf / "b.txt") << "x";
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
  std::filesystem::remove(conf / "b.toml");
  EXPECT_TRUE(has_changed_once());
}

}  // namespace
}  // namespace echo_exporter
