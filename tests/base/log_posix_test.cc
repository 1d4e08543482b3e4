#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "src/base/log.h"

namespace echo_exporter {
namespace {

// Opening a pipe to write to it waits for a reader.
[[noreturn]] void LogToAPipeThatNobodyReads(const std::string& path) {
  LogOptions options;
  options.file = path;
  ConfigureLog(options);
  Log(LogLevel::kInfo, "a line");
  FlushLog();
  std::_Exit(7);
}

TEST(LogPosixTest, EndsAlthoughNobodyReadsTheLog) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The same in the process that dies, which makes it anew.
  const std::string path = testing::TempDir() + "echo_exporter_log_pipe";
  unlink(path.c_str());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EXIT(LogToAPipeThatNobodyReads(path), testing::ExitedWithCode(7), "");
  unlink(path.c_str());
}

}  // namespace
}  // namespace echo_exporter
