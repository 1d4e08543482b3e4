#include "src/discovery/neighbours.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace echo_exporter {
namespace {

std::uint64_t Fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

std::uint64_t SplitMix(std::uint64_t hash, std::uint64_t seed) {
  std::uint64_t z = hash + (seed + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t SpreadHash(std::string_view text, std::uint64_t seed) {
  return SplitMix(Fnv1a(text), seed);
}

std::vector<std::size_t> ChooseNeighbours(
    std::string_view self, const std::vector<std::string>& targets,
    std::uint32_t count) {
  std::vector<std::size_t> chosen;
  if (targets.size() <= count) {
    chosen.resize(targets.size());
    std::iota(chosen.begin(), chosen.end(), 0);
    return chosen;
  }
  std::vector<std::uint64_t> hashes;
  hashes.reserve(targets.size());
  for (const std::string& target : targets) hashes.push_back(Fnv1a(target));
  std::vector<bool> taken(targets.size());
  for (std::uint32_t ring = 0; ring < count; ++ring) {
    const std::uint64_t place = SpreadHash(self, ring);
    std::size_t next = targets.size();
    std::uint64_t shortest = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (taken[i]) continue;
      const std::uint64_t way = SplitMix(hashes[i], ring) - place;
      if (next == targets.size() || way < shortest ||
          (way == shortest && targets[i] < targets[next])) {
        next = i;
        shortest = way;
      }
    }
    taken[next] = true;
    chosen.push_back(next);
  }
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace echo_exporter
