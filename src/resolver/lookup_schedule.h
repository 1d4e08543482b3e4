#ifndef ECHO_EXPORTER_SRC_RESOLVER_LOOKUP_SCHEDULE_H_
#define ECHO_EXPORTER_SRC_RESOLVER_LOOKUP_SCHEDULE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Says which name is to be looked up when, so that names whose lookups hang do
/// not delay those of the others, although a lookup can neither be cancelled
/// nor its duration be known.
///
/// A lookup that lasts longer than `Limits::patience` is slow. Names are served
/// in this order: those whose last lookup was quick, those that are new, those
/// whose last lookup was slow; and each of these leaves room for the ones
/// before it.
///
/// Pure: no thread, no clock. Confined to one thread at a time.
class LookupSchedule {
 public:
  using Key = std::uint32_t;

  struct Limits {
    /// Lookups at once that have not lasted for `patience` yet, among the names
    /// whose last lookup was quick, and as many among the new ones.
    std::size_t at_once = 32;
    Nanoseconds patience = std::chrono::milliseconds(250);
    /// A lookup begins only while fewer than this are in progress, of all
    /// names.
    std::size_t after_quick = 256;
    std::size_t of_new = 192;
    std::size_t after_slow = 64;
    /// After a failed lookup, or the refresh time if that is shorter; doubled
    /// with each further failure, and twice as long if the name does not exist.
    Nanoseconds retry = std::chrono::seconds(5);
    /// Below the 5 minutes that the alert for failing lookups looks back.
    Nanoseconds longest_retry = std::chrono::minutes(4);
  };

  /// How a lookup ended.
  enum class End : std::uint8_t { kAnswer, kNoSuchName, kNoAnswer };

  explicit LookupSchedule(const Limits& limits) : limits_(limits) {}

  /// Adds a name, whose first lookup is due now. Keys are never reused. When it
  /// or SetRefresh() throws, nothing has changed.
  void Add(Key key, Nanoseconds refresh, SteadyTime now);

  /// The next lookup is due no later than `refresh` from now.
  void SetRefresh(Key key, Nanoseconds refresh, SteadyTime now);

  /// Forgets a name. Its lookup in progress still counts.
  void Remove(Key key) noexcept;

  /// A lookup that is to begin now. Call it until there is none. When it
  /// throws, nothing has changed.
  std::optional<Key> Take(SteadyTime now);

  /// When Take() may have something again, unless a lookup finishes before or
  /// something changes; max() for never.
  SteadyTime NextChange() const;

  /// A lookup that Take() gave has ended.
  void Finish(Key key, End end, SteadyTime now) noexcept;

 private:
  /// By the last lookup, in the order in which they are served.
  enum Standing : std::uint8_t { kQuick, kNew, kSlow };
  using Times = std::set<std::pair<SteadyTime, Key>>;
  struct Name {
    Nanoseconds refresh{};
    Standing standing = kNew;
    unsigned failures = 0;                         // in a row
    std::optional<SteadyTime> due = std::nullopt;  // absent: in progress
  };

  struct Progress {
    Standing standing;
    SteadyTime began;
    Times::node_type due = {};  ///< kept, so that the end needs no memory
  };

  void ForgetSlowOnes(SteadyTime now);
  bool MayBegin(std::size_t standing) const;
  Nanoseconds WaitAfter(const Name& name, End end) const;
  void SetDue(Key key, Name& name, SteadyTime due);
  void ClearDue(Key key, Name& name);

  const Limits limits_;
  std::unordered_map<Key, Name> names_;
  std::array<Times, 3> due_;     // by Standing
  std::array<Times, 3> recent_;  // by Standing: began within `patience`
  std::unordered_map<Key, Progress> in_progress_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RESOLVER_LOOKUP_SCHEDULE_H_
