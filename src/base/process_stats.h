#pragma once

#include <cstdint>
#include <optional>

namespace echo_exporter {

/// The operating system's figures about this process, for the standard
/// process_* metrics; absent where the system does not report them.
struct ProcessStats {
  std::optional<double> cpu_seconds;  ///< user and system together
  std::optional<std::uint64_t> resident_memory_bytes;
  std::optional<std::uint64_t> virtual_memory_bytes;
  std::optional<std::uint64_t> open_handles;  ///< file descriptors on Linux
  std::optional<std::uint64_t> max_handles;
  std::optional<double> start_time_seconds;  ///< since 1970, UTC
};

/// Reads the current figures. Thread-safe.
ProcessStats ReadProcessStats();

}  // namespace echo_exporter
