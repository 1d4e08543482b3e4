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

namespace echo_exporter {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
    sink_ = CreateFileSink(options_,
                           std::make_unique<RecordingSink>(fallback_lines_),
                           [this] { return now_; });
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
  SteadyTime now_;
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
  now_ += seconds(10);
  Write("three");
  EXPECT_EQ(Read("echo.log"), "three\n");
  EXPECT_EQ(fallback_lines_.size(), 4U);
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
