#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "src/base/free_memory.h"
#include "src/base/process_stats.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

std::uint64_t ResidentBytes() {
  return ReadProcessStats().resident_memory_bytes.value_or(0);
}

TEST(FreeMemoryTest, ReturnsWhatLiesBelowMemoryInUse) {
  if (kAddressSanitizer || kThreadSanitizer) {
    GTEST_SKIP() << "the sanitizer has an allocator of its own";
  }
  constexpr std::size_t kPiece = 4000;  // too small to be mapped by itself
  constexpr std::size_t kPieces = 16'000;
  std::vector<std::unique_ptr<std::vector<char>>> pieces;
  for (std::size_t i = 0; i < kPieces; ++i) {
    pieces.push_back(std::make_unique<std::vector<char>>(kPiece, 'x'));
  }
  const std::uint64_t full = ResidentBytes();
  ASSERT_GT(full, kPiece * kPieces);
  const auto last = std::move(pieces.back());
  pieces.clear();
  ReturnFreeMemory();
  EXPECT_LT(ResidentBytes(), full - kPiece * kPieces / 2);
  EXPECT_EQ(last->at(kPiece - 1), 'x');
}

}  // namespace
}  // namespace echo_exporter
