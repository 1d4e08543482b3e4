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
  const TemporaryFolder folder_;
  const std::string path_ = folder_.Path("file_watch_test.toml");
};

TEST_F(FileWatchTest, TellsAChangeOnceItWasSeenTwice) {
  Write("a");
  FileWatch watch(path_);
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
  Write("b");
  EXPECT_FALSE(watch.Look());
  EXPECT_TRUE(watch.unsettled());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->ok());
  EXPECT_EQ(text->value(), "b");
  EXPECT_FALSE(watch.unsettled());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, TellsNothingHalfWritten) {
  Write("abc");
  FileWatch watch(path_);
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
  FileWatch watch(path_);
  Write("a");
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.unsettled());
}

TEST_F(FileWatchTest, WhatIsMarkedAsSeenIsNoChange) {
  Write("a");
  FileWatch watch(path_);
  Write("b");
  EXPECT_FALSE(watch.Look());
  watch.MarkSeen();
  EXPECT_FALSE(watch.unsettled());
  EXPECT_FALSE(watch.Look());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, ComingAndGoingAreChanges) {
  FileWatch watch(path_);
  EXPECT_FALSE(watch.Look());
  Write("");
  EXPECT_FALSE(watch.Look());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->ok());
  std::filesystem::remove(path_);
  EXPECT_FALSE(watch.Look());
  const auto gone = watch.Look();
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->ok());
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, ReportsAgainWhatIsForgotten) {
  Write("a");
  FileWatch watch(path_);
  watch.Forget();
  EXPECT_FALSE(watch.Look());
  const auto text = watch.Look();
  ASSERT_TRUE(text && text->ok());
  EXPECT_EQ(text->value(), "a");
  EXPECT_FALSE(watch.Look());
}

TEST_F(FileWatchTest, AFolderInItsPlaceIsAChange) {
  Write("");
  FileWatch watch(path_);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(watch.Look());
  const auto folder = watch.Look();
  ASSERT_TRUE(folder);
  EXPECT_FALSE(folder->ok());
}

}  // namespace
}  // namespace echo_exporter
