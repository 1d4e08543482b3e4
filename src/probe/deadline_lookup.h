#ifndef ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_
#define ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_

#include <cstddef>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Resolves names for callers who cannot wait for as long as the system's
/// resolver may take, which has no time limit of its own.
///
/// Thread-safe.
class DeadlineLookup {
 public:
  /// `lookup` must outlive this.
  explicit DeadlineLookup(AddressLookup& lookup) : lookup_(lookup) {}
  /// Waits for lookups that nobody waits for any more.
  ~DeadlineLookup();
  DeadlineLookup(const DeadlineLookup&) = delete;
  DeadlineLookup& operator=(const DeadlineLookup&) = delete;

  /// Fails with kUnavailable when there is no answer at `deadline`, and with
  /// kExhausted when too many earlier lookups have not come back.
  Result<std::vector<IpAddress>> ResolveName(const std::string& name,
                                             SteadyTime deadline);

 private:
  AddressLookup& lookup_;
  Mutex mutex_;
  CondVar changed_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_
