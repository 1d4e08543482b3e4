#ifndef ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_
#define ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/result.h"
#include "src/base/call_threads.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Looks up addresses with a deadline. The system has no time limit of its own
/// for resolving names, and an adapter's driver may block reading its
/// addresses.
///
/// The calls fail with kUnavailable when there is no result at `deadline`, and
/// with kExhausted when too many earlier lookups are still in progress.
///
/// Thread-safe.
class DeadlineLookup {
 public:
  /// `lookup` must outlive this. The destructor waits for lookups whose caller
  /// has returned already.
  explicit DeadlineLookup(AddressLookup& lookup) : lookup_(lookup) {}
  DeadlineLookup(const DeadlineLookup&) = delete;
  DeadlineLookup& operator=(const DeadlineLookup&) = delete;

  Result<std::vector<IpAddress>> ResolveName(const std::string& name,
                                             SteadyTime deadline);

  /// FindSources() of the engine. Only an adapter needs a lookup.
  Result<std::optional<SourceAddresses>> FindSources(const SourceConfig& source,
                                                     SteadyTime deadline);

 private:
  template <typename T>
  Result<T> Ask(const std::string& what, std::function<Result<T>()> ask,
                SteadyTime deadline);

  AddressLookup& lookup_;
  Mutex mutex_;
  CondVar changed_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
  CallThreads threads_{4};  ///< destroyed before what they use
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_PROBE_DEADLINE_LOOKUP_H_
