#pragma once

#include <atomic>
#include <cstdint>

namespace echo_exporter {

/// A permit for an action that may only be done a limited number of times at
/// once, held for a scope. A caller whose permit is not granted must not do it.
class Permit {
 public:
  /// For `count` times, at most `limit`. `taken` counts what the existing
  /// permits are for, including those not granted, and outlives this.
  Permit(std::atomic<std::uint32_t>& taken, std::uint32_t limit,
         std::uint32_t count = 1)
      : taken_(taken),
        count_(count),
        granted_(taken.fetch_add(count) <= limit - count) {}
  ~Permit() { taken_.fetch_sub(count_); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  bool granted() const { return granted_; }

 private:
  std::atomic<std::uint32_t>& taken_;
  const std::uint32_t count_;
  const bool granted_;
};

}  // namespace echo_exporter
