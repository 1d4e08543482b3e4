#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "src/base/process_stats.h"

namespace echo_exporter {
namespace {

// The fields of /proc/self/stat from the third on, counted as proc(5) does,
// from 1: the first two are a number and the command's name, which is in
// parentheses and may contain any character.
std::vector<std::string> ReadSelfStat() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  return {std::istream_iterator<std::string>(fields), {}};
}

// Seconds since 1970 at which the kernel started.
std::optional<double> BootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> CountOpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  // The directory itself is open while it is read.
  return static_cast<std::uint64_t>(std::distance(begin(files), end(files))) -
         1;
}

}  // namespace

ProcessStats ReadProcessStats() {
  constexpr std::size_t kUserTime = 14;
  constexpr std::size_t kSystemTime = 15;
  constexpr std::size_t kStartTime = 22;
  constexpr std::size_t kVirtualSize = 23;
  constexpr std::size_t kResidentPages = 24;

  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::vector<std::string> fields = ReadSelfStat();
  const auto field = [&](std::size_t number) -> std::optional<std::uint64_t> {
    if (number - 3 >= fields.size()) return std::nullopt;
    return std::stoull(fields[number - 3]);
  };
  ProcessStats stats;
  const auto user = field(kUserTime);
  const auto system = field(kSystemTime);
  if (user && system) {
    stats.cpu_seconds = static_cast<double>(*user + *system) / ticks_per_second;
  }
  const auto started = field(kStartTime);
  const auto boot_time = BootTime();
  if (started && boot_time) {
    stats.start_time_seconds =
        *boot_time + static_cast<double>(*started) / ticks_per_second;
  }
  stats.virtual_memory_bytes = field(kVirtualSize);
  if (const auto pages = field(kResidentPages)) {
    stats.resident_memory_bytes =
        *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  stats.open_handles = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_handles = limit.rlim_cur;
  return stats;
}

}  // namespace echo_exporter
