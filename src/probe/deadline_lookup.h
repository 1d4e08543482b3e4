#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
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
/// addresses. A caller that asks for what is being looked up already waits for
/// that.
///
/// The calls fail with kUnavailable when there is no result at `deadline`, and
/// with kExhausted without the means for a lookup and beyond the limits of
/// lookups in progress: one for adapters, and one for names, a part of which is
/// for names that had an answer last time.
///
/// Thread-safe.
class DeadlineLookup {
 public:
  /// The most lookups of names in progress, of which the second number is the
  /// most that names without an answer last time can begin; and of adapters.
  static constexpr std::size_t kMostNames = 256;
  static constexpr std::size_t kMostNewNames = 192;
  static constexpr std::size_t kMostAdapters = 64;

  /// `lookup` must outlive this. The destructor waits for lookups in progress,
  /// also those whose caller has returned already.
  explicit DeadlineLookup(AddressLookup& lookup) : lookup_(lookup) {}
  DeadlineLookup(const DeadlineLookup&) = delete;
  DeadlineLookup& operator=(const DeadlineLookup&) = delete;

  /// ResolveHost() without what it refuses.
  Result<std::vector<IpAddress>> ResolveName(const std::string& name,
                                             SteadyTime deadline);

  /// ResolveZone().
  Result<IpAddress> FindAddress(const ZonedAddress& address,
                                SteadyTime deadline);

  /// FindSources() of the engine.
  Result<std::optional<SourceAddresses>> FindSources(const SourceConfig& source,
                                                     SteadyTime deadline);

 private:
  using Answer = Result<SourceAddresses>;
  /// Empty until the lookup has ended.
  using Call = std::shared_ptr<std::optional<Answer>>;
  using Calls = std::map<std::string, Call>;

  Answer Ask(Calls& calls, std::size_t limit, const std::string& what,
             std::function<Answer()> ask, SteadyTime deadline) REQUIRES(mutex_);
  bool Begin(Calls& calls, const std::string& what, const Call& call,
             std::function<Answer()> ask, const Error& no_means)
      REQUIRES(mutex_);
  Answer AskAdapter(const std::string& what, std::function<Answer()> ask,
                    SteadyTime deadline);
  void Remember(const std::string& name, bool answers) REQUIRES(mutex_);

  AddressLookup& lookup_;
  Mutex mutex_;
  CondVar changed_;
  Calls names_ GUARDED_BY(mutex_);     ///< in progress
  Calls adapters_ GUARDED_BY(mutex_);  ///< in progress
  /// Names that had an answer.
  std::unordered_set<std::string> answering_ GUARDED_BY(mutex_);
  CallThreads threads_{4};  ///< destroyed before what they use
};

}  // namespace echo_exporter
