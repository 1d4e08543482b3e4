#include "src/base/process_stats.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <fstream>

namespace echo_exporter {
namespace {

TEST(ProcessStatsTest, KnowsThisProcess) {
  const ProcessStats stats = ReadProcessStats();
  ASSERT_TRUE(stats.cpu_seconds);
  EXPECT_GE(*stats.cpu_seconds, 0);
  ASSERT_TRUE(stats.resident_memory_bytes);
  EXPECT_GT(*stats.resident_memory_bytes, 100'000U);
  ASSERT_TRUE(stats.max_handles);
  EXPECT_GT(*stats.max_handles, 0U);
}

TEST(ProcessStatsTest, LeavesOutWhatTheSystemDoesNotTell) {
  const ProcessStats stats = ReadProcessStats();
  EXPECT_NE(stats.virtual_memory_bytes, 0U);
  EXPECT_NE(stats.open_handles, 0U);
}

TEST(ProcessStatsTest, CountsCpuTimeUpwards) {
  const auto before = ReadProcessStats().cpu_seconds;
  volatile std::uint64_t work = 0;
  while (ReadProcessStats().cpu_seconds == before) work = work + 1;
  EXPECT_GT(ReadProcessStats().cpu_seconds, before);
}

TEST(ProcessStatsTest, StartedInThePastAndNotLongAgo) {
  const auto started = ReadProcessStats().start_time_seconds;
  ASSERT_TRUE(started);
  const double now = std::chrono::duration<double>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  // The kernel's time of start is whole seconds on some systems.
  EXPECT_LE(*started, now + 2);
  EXPECT_GE(*started, now - 24 * 3600);
}

TEST(ProcessStatsTest, CountsOpenHandles) {
  const auto before = ReadProcessStats().open_handles;
  if (!before) GTEST_SKIP() << "this system does not tell (Wine)";
  const std::ifstream file(testing::internal::GetArgvs().front());
  ASSERT_TRUE(file.is_open());
  EXPECT_GT(ReadProcessStats().open_handles, before);
}

}  // namespace
}  // namespace echo_exporter
