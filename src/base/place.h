#ifndef ECHO_EXPORTER_SRC_BASE_PLACE_H_
#define ECHO_EXPORTER_SRC_BASE_PLACE_H_

#include <atomic>
#include <cstdint>

namespace echo_exporter {

/// One of so many places to do something at once, for a scope. Whoever gets
/// none has to leave it.
class Place {
 public:
  /// `taken` counts those in the scope, those without a place as well, and
  /// outlives it.
  Place(std::atomic<std::uint32_t>& taken, std::uint32_t limit)
      : taken_(taken), granted_(taken.fetch_add(1) < limit) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool granted() const { return granted_; }

 private:
  std::atomic<std::uint32_t>& taken_;
  const bool granted_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_PLACE_H_
