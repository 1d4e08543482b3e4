#include "src/base/log_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Keeps lines.
class RecordingSink final : public LogSink {
 public:
  explicit RecordingSink(std::vector<std::string>& lines) : lines_(lines) {}
  void Write(LogLevel /*level*/, std::string_view line) override {
    lines_.emplace_back(line);
  }

 private:
  std::vector<std::string>& lines_;
};

class FileSinkTest : public testing::Test {
 protected:
  FileSinkTest() {
    const auto* const test =
        testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              (std::string("echo_exporter_") + test->name());
    fs::remove_all(folder_);
    options_.file = (folder_ / "echo.log").string();
  }
  ~FileSinkTest() override {
    sink_.reset();
    fs::remove_all(folder_);
  }

  void Open() {
    sink_ = CreateFileSink(
        options_, std::make_unique<RecordingSink>(fallback_lines_), clock_);
  }

  void Write(const std::string& line) { sink_->Write(LogLevel::kInfo, line); }

  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    std::erase(text, '\r');
    return text;
  }

  fs::path folder_;
  LogOptions options_;
  ManualClock clock_{SteadyTime(hours(1))};
  std::vector<std::string> fallback_lines_;
  std::unique_ptr<LogSink> sink_;
};

TEST_F(FileSinkTest, MakesTheFolderAndWritesEachLineAtOnce) {
  Open();
  Write("one");
  EXPECT_EQ(Read("echo.log"), "one\n");
  Write("two");
  EXPECT_EQ(Read("echo.log"), "one\ntwo\n");
  EXPECT_THAT(fallback_lines_, IsEmpty());
}

TEST_F(FileSinkTest, AppendsToWhatIsThere) {
  Open();
  Write("one");
  Open();
  Write("two");
  EXPECT_EQ(Read("echo.log"), "one\ntwo\n");
}

TEST_F(FileSinkTest, RotatesBySizeAndKeepsTheNumberOfFilesAskedFor) {
  options_.max_file_size = 10;
  options_.kept_files = 2;
  Open();
  for (const char* line : {"11111111", "22222222", "33333333", "44444444"}) {
    Write(line);
  }
  EXPECT_EQ(Read("echo.log"), "44444444\n");
  EXPECT_EQ(Read("echo.1.log"), "33333333\n");
  EXPECT_EQ(Read("echo.2.log"), "22222222\n");
  EXPECT_FALSE(fs::exists(folder_ / "echo.3.log"));
}

TEST_F(FileSinkTest, FallsBackWhileItCannotWriteAndTriesAgain) {
  std::ofstream(folder_) << "a file where the folder should be";
  Open();
  Write("one");
  Write("two");
  EXPECT_THAT(fallback_lines_,
              ElementsAre(HasSubstr("cannot be written to"), "one", "two"));
  fs::remove(folder_);
  Write("too early");
  clock_.Advance(seconds(10));
  Write("three");
  EXPECT_EQ(Read("echo.log"), "three\n");
  ASSERT_EQ(fallback_lines_.size(), 5U);
  EXPECT_THAT(fallback_lines_.back(), HasSubstr("lasted=10s"));
}

TEST_F(FileSinkTest, TellsOfAFileThatCannotBeWrittenToOnceAnHour) {
  std::ofstream(folder_) << "a file where the folder should be";
  options_.format = LogFormat::kJson;
  Open();
  for (int i = 0; i < 12; ++i) {  // each of which is a new attempt
    Write("line");
    clock_.Advance(minutes(15));
  }
  std::erase(fallback_lines_, "line");
  EXPECT_THAT(fallback_lines_, SizeIs(3));
  EXPECT_THAT(fallback_lines_,
              Each(HasSubstr(R"("level":"error","msg":"the log file cannot be )"
                             R"(written to",)")));
}

TEST(EventTextTest, SeparatesPercentSignsFromDigits) {
  EXPECT_EQ(EventText("fe80::1%12 and 5 % of %%4", 100),
            "fe80::1% 12 and 5 % of %% 4");
  EXPECT_EQ(EventText("100% sure", 100), "100% sure");
}

TEST(EventTextTest, CutsAtAnEdgeOfACharacter) {
  EXPECT_EQ(EventText("ab\xc3\xbc", 3), "ab");
  EXPECT_EQ(EventText("ab\xc3\xbc", 4), "ab\xc3\xbc");
  EXPECT_EQ(EventText("abcdef", 3), "abc");
}

}  // namespace
}  // namespace echo_exporter
