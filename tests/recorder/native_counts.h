#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "src/recorder/native_buckets.h"

namespace echo_exporter {

/// The buckets, as pairs of index and count.
inline std::vector<std::pair<int, std::uint64_t>> BucketsOf(
    const NativeBuckets& buckets) {
  std::vector<std::pair<int, std::uint64_t>> all;
  buckets.ForEach([&all](int index, std::uint64_t count) {
    all.emplace_back(index, count);
  });
  return all;
}

}  // namespace echo_exporter
