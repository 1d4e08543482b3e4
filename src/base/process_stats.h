#ifndef ECHO_EXPORTER_SRC_BASE_PROCESS_STATS_H_
#define ECHO_EXPORTER_SRC_BASE_PROCESS_STATS_H_

#include <cstdint>
#include <optional>

namespace echo_exporter {

/// What the operating system says of this process; absent where it does not
/// tell. Sources of the standard process_* metrics.
struct ProcessStats {
  std::optional<double> cpu_seconds;  ///< user and system together
  std::optional<std::uint64_t> resident_memory_bytes;
  std::optional<std::uint64_t> virtual_memory_bytes;
  std::optional<std::uint64_t> open_handles;  ///< file descriptors on Linux
  std::optional<std::uint64_t> max_handles;
  std::optional<double> start_time_seconds;  ///< since 1970, UTC
};

/// Reads them now. Thread-safe.
ProcessStats ReadProcessStats();

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_PROCESS_STATS_H_
