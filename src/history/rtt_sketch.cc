#include "src/history/rtt_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

RttCode RttSketch::Quantile(double quantile) const {
  return Quantile(*this, RttSketch(), quantile);
}

RttCode RttSketch::Quantile(const RttSketch& a, const RttSketch& b,
                            double quantile) {
  const double total = static_cast<double>(a.count() + b.count());
  const auto rank = std::max<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(quantile * total)), 1);
  std::uint64_t below = 0;
  RttCode middle = 0;
  auto in_a = a.seen_.begin();
  auto in_b = b.seen_.begin();
  while (below < rank && (in_a != a.seen_.end() || in_b != b.seen_.end())) {
    const bool take_a =
        in_b == b.seen_.end() ||
        (in_a != a.seen_.end() && a.MiddleOf(*in_a) <= b.MiddleOf(*in_b));
    middle = take_a ? a.MiddleOf(*in_a) : b.MiddleOf(*in_b);
    below += take_a ? in_a++->count : in_b++->count;
  }
  return middle;
}

}  // namespace echo_exporter
