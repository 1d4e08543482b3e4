#include "src/app/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace echo_exporter {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  ~FileWatchTest() override { std::filesystem::remove(path_); }
  void Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  const std::string path_ = testing::TempDir() + "file_watch_test.toml";
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

}  // namespace
}  // namespace echo_exporter
