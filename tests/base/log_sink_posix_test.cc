#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "src/base/log_sink.h"
#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class CountingSink final : public LogSink {
 public:
  explicit CountingSink(std::vector<std::string>& lines) : lines_(lines) {}
  void Write(LogLevel /*level*/, std::string_view line) override {
    lines_.emplace_back(line);
  }

 private:
  std::vector<std::string>& lines_;
};

// /dev/full refuses every write as a full disk does.
TEST(FileSinkLinuxTest, OutlivesAFullDisk) {
  LogOptions options;
  options.file = "/dev/full";
  std::vector<std::string> lines;
  const auto sink = CreateFileSink(
      options, std::make_unique<CountingSink>(lines), Clock::System());
  sink->Write(LogLevel::kInfo, "one");
  sink->Write(LogLevel::kInfo, "two");
  EXPECT_THAT(lines, ElementsAre(HasSubstr("No space left"), "one", "two"));
}

// Windows does not let a file go that is open.
TEST(FileSinkLinuxTest, MakesAFileAnewThatWasMovedAway) {
  const fs::path folder =
      fs::path(testing::TempDir()) / "echo_exporter_moved_away";
  fs::remove_all(folder);
  LogOptions options;
  options.file = (folder / "echo.log").string();
  ManualClock clock{SteadyTime()};
  std::vector<std::string> lines;
  const auto sink =
      CreateFileSink(options, std::make_unique<CountingSink>(lines), clock);
  sink->Write(LogLevel::kInfo, "one");
  fs::remove_all(folder);
  clock.Advance(std::chrono::seconds(1));
  sink->Write(LogLevel::kInfo, "two");
  std::ifstream file(options.file);
  std::string line;
  EXPECT_TRUE(std::getline(file, line));
  EXPECT_EQ(line, "two");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace echo_exporter
