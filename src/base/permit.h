#ifndef ECHO_EXPORTER_SRC_BASE_PERMIT_H_
#define ECHO_EXPORTER_SRC_BASE_PERMIT_H_

#include <atomic>
#include <cstdint>

namespace echo_exporter {

/// A permit for an action that only a limited number of threads may do at once,
/// held for a scope. A caller whose permit is not granted must not do it.
class Permit {
 public:
  /// `taken` counts the permits that exist, including those not granted, and
  /// outlives this.
  Permit(std::atomic<std::uint32_t>& taken, std::uint32_t limit)
      : taken_(taken), granted_(taken.fetch_add(1) < limit) {}
  ~Permit() { taken_.fetch_sub(1); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  bool granted() const { return granted_; }

 private:
  std::atomic<std::uint32_t>& taken_;
  const bool granted_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_PERMIT_H_
