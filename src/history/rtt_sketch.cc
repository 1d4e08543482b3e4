#include "src/history/rtt_sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

namespace echo_exporter {
namespace {

// 1023 codes for 26 powers of two.
constexpr double kCodesPerOctave = 1023.0 / 26;
constexpr double kLowestSeconds = 1e-6;

std::uint16_t Sum(std::uint16_t a, std::uint32_t b) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
  return static_cast<std::uint16_t>(a + std::min(b, kMost - a));
}

}  // namespace

RttCode RttCodeOf(Nanoseconds rtt) {
  const double octaves =
      std::log2(std::max(static_cast<double>(rtt.count()), 1e3) / 1e3);
  return static_cast<RttCode>(
      std::min(octaves * kCodesPerOctave + 1, double{kMostRttCode}));
}

std::optional<double> SecondsOf(RttCode code) {
  if (code == 0) return std::nullopt;
  return kLowestSeconds * std::exp2((code - 0.5) / kCodesPerOctave);
}

void RttSketch::Add(RttCode code, std::uint32_t count) {
  for (;;) {
    const RttCode first = FirstOf(code);
    const auto place = std::ranges::lower_bound(seen_, first, {}, &Seen::code);
    if (place != seen_.end() && place->code == first) {
      place->count = Sum(place->count, count);
      return;
    }
    if (seen_.size() < kMost) {
      seen_.insert(place, {.code = first, .count = Sum(0, count)});
      return;
    }
    Halve();
  }
}

void RttSketch::Clear() {
  seen_.clear();
  shift_ = 0;
}

void RttSketch::Halve() {
  ++shift_;
  auto last = seen_.begin();
  for (auto seen = seen_.begin(); seen != seen_.end(); ++seen) {
    const RttCode first = FirstOf(seen->code);
    if (seen != seen_.begin() && last->code == first) {
      last->count = Sum(last->count, seen->count);
    } else {
      if (seen != seen_.begin()) ++last;
      *last = {.code = first, .count = seen->count};
    }
  }
  if (!seen_.empty()) seen_.erase(last + 1, seen_.end());
}

RttCode RttSketch::MiddleOf(const Seen& seen) const {
  const auto middle = seen.code + ((1 << shift_) - 1) / 2;
  return static_cast<RttCode>(std::clamp(middle, 1, int{kMostRttCode}));
}

std::uint64_t RttSketch::count() const {
  std::uint64_t count = 0;
  for (const Seen& seen : seen_) count += seen.count;
  return count;
}

RttCode RttSketch::Quantile(std::initializer_list<const RttSketch*> sketches,
                            double quantile) {
  struct Rest {
    const RttSketch* sketch;
    std::vector<Seen>::const_iterator next;
    bool ended() const { return next == sketch->seen_.end(); }
    RttCode middle() const {
      return ended() ? kMostRttCode + 1 : sketch->MiddleOf(*next);
    }
  };
  std::array<Rest, kMostTogether> all;
  std::uint64_t total = 0;
  std::size_t size = 0;
  for (const RttSketch* const sketch : sketches) {
    total += sketch->count();
    all[size++] = {sketch, sketch->seen_.begin()};
  }
  const std::span<Rest> rests(all.data(), size);
  const auto rank = std::max<std::uint64_t>(
      static_cast<std::uint64_t>(
          std::ceil(quantile * static_cast<double>(total))),
      1);
  std::uint64_t below = 0;
  RttCode middle = 0;
  while (below < rank) {
    Rest& lowest = *std::ranges::min_element(rests, {}, &Rest::middle);
    if (lowest.ended()) break;  // they are empty
    middle = lowest.middle();
    below += lowest.next++->count;
  }
  return middle;
}

}  // namespace echo_exporter
