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

TEST_F(FileWatchTest, TellsAChangeOnce) {
  Write("a");
  FileWatch watch(path_);
  EXPECT_FALSE(watch.Changed());
  Write("b");
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
}

TEST_F(FileWatchTest, TouchingIsNoChange) {
  Write("a");
  FileWatch watch(path_);
  Write("a");
  EXPECT_FALSE(watch.Changed());
}

TEST_F(FileWatchTest, ComingAndGoingAreChanges) {
  FileWatch watch(path_);
  EXPECT_FALSE(watch.Changed());
  Write("");
  EXPECT_TRUE(watch.Changed());
  std::filesystem::remove(path_);
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
}

TEST_F(FileWatchTest, AFolderInItsPlaceIsAChange) {
  Write("");
  FileWatch watch(path_);
  std::filesystem::remove(path_);
  std::filesystem::create_directory(path_);
  EXPECT_TRUE(watch.Changed());
  EXPECT_FALSE(watch.Changed());
}

}  // namespace
}  // namespace echo_exporter
