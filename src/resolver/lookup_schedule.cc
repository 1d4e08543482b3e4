#include "src/resolver/lookup_schedule.h"

#include <algorithm>
#include <utility>

namespace echo_exporter {

void LookupSchedule::Add(Key key, Nanoseconds refresh, SteadyTime now) {
  Times entry{{now, key}};
  names_.emplace(key,
                 Name{.refresh = refresh, .place = &due_[kNew], .time = now});
  due_[kNew].merge(entry);
}

void LookupSchedule::SetRefresh(Key key, Nanoseconds refresh,
                                SteadyTime now) noexcept {
  Name& name = names_.find(key)->second;
  if (IsDue(name) && now + refresh < name.time) {
    Move(key, name, *name.place, now + refresh);
  }
  name.refresh = refresh;
}

void LookupSchedule::Remove(Key key) noexcept {
  const auto found = names_.find(key);
  found->second.removed = true;
  if (IsDue(found->second)) Erase(found);
}

bool LookupSchedule::MayBegin(std::size_t standing) const {
  const std::array<std::size_t, 3> most = {limits_.after_quick, limits_.of_new,
                                           limits_.after_slow};
  // Another slow lookup is expected of the slow ones: there is no wait for it.
  const bool at_once =
      standing == kSlow || recent_[standing].size() < limits_.at_once;
  const std::size_t in_progress =
      recent_[kQuick].size() + recent_[kNew].size() + lasting_.size();
  return at_once && in_progress < most[standing];
}

void LookupSchedule::NoteSlowOnes(SteadyTime now) {
  for (Times& recent : recent_) {
    while (!recent.empty() && recent.begin()->first + limits_.patience <= now) {
      const auto [began, key] = *recent.begin();
      Move(key, names_.find(key)->second, lasting_, began);
    }
  }
}

std::optional<LookupSchedule::Key> LookupSchedule::Take(
    SteadyTime now) noexcept {
  NoteSlowOnes(now);
  for (const Standing standing : {kQuick, kNew, kSlow}) {
    const Times& due = due_[standing];
    if (due.empty() || due.begin()->first > now || !MayBegin(standing)) {
      continue;
    }
    const Key key = due.begin()->second;
    Move(key, names_.find(key)->second,
         standing == kSlow ? lasting_ : recent_[standing], now);
    return key;
  }
  return std::nullopt;
}

SteadyTime LookupSchedule::NextChange() const {
  SteadyTime next = SteadyTime::max();
  for (const Standing standing : {kQuick, kNew, kSlow}) {
    const Times& due = due_[standing];
    if (due.empty()) continue;
    if (MayBegin(standing)) {
      next = std::min(next, due.begin()->first);
    } else if (standing != kSlow && !recent_[standing].empty()) {
      next =
          std::min(next, recent_[standing].begin()->first + limits_.patience);
    }
  }
  return next;
}

void LookupSchedule::Finish(Key key, End end, SteadyTime now) noexcept {
  const auto found = names_.find(key);
  Name& name = found->second;
  if (name.removed) return Erase(found);
  // An answer that was long in coming, as after a packet that was lost, makes
  // no name slow: the next one will come sooner.
  const bool slow =
      end == End::kNoAnswer && now - name.time >= limits_.patience;
  name.standing = slow ? kSlow : kQuick;
  name.failures = end == End::kAnswer ? 0 : name.failures + 1;
  Move(key, name, due_[name.standing], now + WaitAfter(name, end));
}

Nanoseconds LookupSchedule::WaitAfter(const Name& name, End end) const {
  if (end == End::kAnswer) return name.refresh;
  constexpr unsigned kMostDoublings = 12;  // no overflow
  unsigned doublings = std::min(name.failures - 1, kMostDoublings);
  if (end == End::kNoSuchName) ++doublings;
  return std::min(
      {limits_.retry * (1U << doublings), limits_.longest_retry, name.refresh});
}

// The entry itself is moved, so that no memory is needed.
void LookupSchedule::Move(Key key, Name& name, Times& place,
                          SteadyTime time) noexcept {
  auto entry = name.place->extract({name.time, key});
  entry.value().first = time;
  place.insert(std::move(entry));
  name.place = &place;
  name.time = time;
}

void LookupSchedule::Erase(Names::iterator name) noexcept {
  name->second.place->erase({name->second.time, name->first});
  names_.erase(name);
}

}  // namespace echo_exporter
