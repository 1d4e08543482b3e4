#pragma once

namespace echo_exporter {

/// Gives memory that was freed back to the system, where the allocator keeps it
/// for later. For the end of work that needed much for a while. May take some
/// ten milliseconds, in which other threads wait for memory. Thread-safe.
void ReturnFreeMemory() noexcept;

}  // namespace echo_exporter
