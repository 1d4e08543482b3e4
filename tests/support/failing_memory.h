#pragma once

#include <cstdint>
#include <limits>

namespace echo_exporter {

/// Lets allocations by operator new fail, until destroyed: so many succeed
/// first, then so many fail, then all succeed. One at a time.
///
/// A program that has failing_memory.cc has another operator new.
class FailingMemory {
 public:
  enum class Threads {
    kThis,  ///< only the thread that creates the object
    kAll,
  };

  static constexpr std::uint64_t kAllOfThem =
      std::numeric_limits<std::uint64_t>::max();

  FailingMemory(Threads threads, std::uint64_t succeeding,
                std::uint64_t failing);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  /// How many have failed so far.
  std::uint64_t failures() const;
};

}  // namespace echo_exporter
