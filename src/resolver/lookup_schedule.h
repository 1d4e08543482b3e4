#pragma once

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
  LookupSchedule(const LookupSchedule&) = delete;
  LookupSchedule& operator=(const LookupSchedule&) = delete;

  /// Adds a name, whose first lookup is due now. Keys are never reused. Throws
  /// std::bad_alloc, and has changed nothing then.
  void Add(Key key, Nanoseconds refresh, SteadyTime now);

  /// The next lookup is due no later than `refresh` from now.
  void SetRefresh(Key key, Nanoseconds refresh, SteadyTime now) noexcept;

  /// Forgets a name. Its lookup in progress still counts.
  void Remove(Key key) noexcept;

  /// A lookup that is to begin now. Call it until there is none.
  std::optional<Key> Take(SteadyTime now) noexcept;

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
    unsigned failures = 0;   // in a row
    Times* place = nullptr;  // the one that has its entry
    SteadyTime time{};       // when it is due, or when its lookup has begun
    bool removed = false;    // with a lookup in progress
  };
  using Names = std::unordered_map<Key, Name>;

  bool IsDue(const Name& name) const {
    return name.place == &due_[name.standing];
  }
  void NoteSlowOnes(SteadyTime now);
  bool MayBegin(std::size_t standing) const;
  Nanoseconds WaitAfter(const Name& name, End end) const;
  void Move(Key key, Name& name, Times& place, SteadyTime time) noexcept;
  void Erase(Names::iterator name) noexcept;

  const Limits limits_;
  Names names_;
  // Each name has one entry in one of these.
  std::array<Times, 3> due_;     // by Standing
  std::array<Times, 2> recent_;  // by Standing: in progress for < `patience`
  Times lasting_;                // in progress for longer, or expected to be
};

}  // namespace echo_exporter
