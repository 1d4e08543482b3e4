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

// The fields of /proc/self/stat after the command name, which is in parentheses
// and may contain any character. The first field here, the state, is field 3 of
// proc(5), which counts from 1.
class SelfStat {
 public:
  SelfStat() {
    std::ifstream file("/proc/self/stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream rest(text.substr(name_end + 1));
    fields_.assign(std::istream_iterator<std::string>(rest), {});
  }

  std::optional<std::uint64_t> Field(std::size_t proc_number) const {
    const std::size_t index = proc_number - 3;
    if (index >= fields_.size()) return std::nullopt;
    return std::stoull(fields_[index]);
  }

 private:
  std::vector<std::string> fields_;
};

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
  const SelfStat stat;
  ProcessStats stats;
  const auto user = stat.Field(kUserTime);
  const auto system = stat.Field(kSystemTime);
  if (user && system) {
    stats.cpu_seconds = static_cast<double>(*user + *system) / ticks_per_second;
  }
  const auto started = stat.Field(kStartTime);
  const auto boot_time = BootTime();
  if (started && boot_time) {
    stats.start_time_seconds =
        *boot_time + static_cast<double>(*started) / ticks_per_second;
  }
  stats.virtual_memory_bytes = stat.Field(kVirtualSize);
  if (const auto pages = stat.Field(kResidentPages)) {
    stats.resident_memory_bytes =
        *pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  stats.open_handles = CountOpenFiles();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_handles = limit.rlim_cur;
  return stats;
}

}  // namespace echo_exporter
