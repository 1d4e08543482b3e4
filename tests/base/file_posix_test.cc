#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>

#include "src/base/file.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

std::string ErrorOf(const Result<std::string>& text) {
  return text.ok() ? "" : text.error().message;
}

class ReadFilePosixTest : public testing::Test {
 protected:
  std::string MakePipe() {
    std::string path = folder_.Path("pipe");
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }

  const TemporaryFolder folder_;
};

// Nobody writes to the pipe: opening it to read would wait for ever.
TEST_F(ReadFilePosixTest, RefusesWhatCouldMakeItWait) {
  for (const std::string& path : {MakePipe(), std::string("/dev/zero")}) {
    EXPECT_EQ(ErrorOf(ReadFile(path, 100)), "it is not a regular file") << path;
  }
  EXPECT_EQ(ErrorOf(ReadFileOrPipe("/dev/zero", 100)),
            "it is not a regular file");
  EXPECT_EQ(ErrorOf(ReadFile(folder_.Path("."), 100)),
            std::generic_category().message(EISDIR));
}

TEST_F(ReadFilePosixTest, ReadsAPipeToItsEndWhereThatIsAllowed) {
  const std::string path = MakePipe();
  const std::string text(200'000, 'a');
  std::thread writer([&] { std::ofstream(path) << text; });
  const auto read = ReadFileOrPipe(path, text.size());
  writer.join();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), text);
}

TEST_F(ReadFilePosixTest, ReadsNothingOfAFileThatIsTooLarge) {
  const std::string path = folder_.Write("sparse", "");
  std::filesystem::resize_file(path, std::uintmax_t{20} << 30);
  EXPECT_EQ(ErrorOf(ReadFile(path, 1000)),
            "the file is larger than 1000 bytes");
  EXPECT_EQ(ErrorOf(ReadFileOrPipe(path, 1000)),
            "the file is larger than 1000 bytes");
}

// Whose size the system does not tell.
TEST_F(ReadFilePosixTest, ReadsFilesOfProc) {
  const auto text = ReadFile("/proc/self/status", 100'000);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_NE(text.value().find("Pid:"), std::string::npos);
}

}  // namespace
}  // namespace echo_exporter
