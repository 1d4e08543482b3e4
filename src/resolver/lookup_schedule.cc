#include "src/resolver/lookup_schedule.h"

#include <algorithm>
#include <utility>

namespace echo_exporter {

void LookupSchedule::Add(Key key, Nanoseconds refresh, SteadyTime now) {
  const auto place = names_.emplace(key, Name{.refresh = refresh}).first;
  try {
    SetDue(key, place->second, now);
  } catch (...) {
    names_.erase(place);
    throw;
  }
}

void LookupSchedule::SetRefresh(Key key, Nanoseconds refresh, SteadyTime now) {
  Name& name = names_.at(key);
  if (name.due && now + refresh < *name.due) SetDue(key, name, now + refresh);
  name.refresh = refresh;
}

void LookupSchedule::Remove(Key key) noexcept {
  const auto found = names_.find(key);
  ClearDue(key, found->second);
  names_.erase(found);
}

bool LookupSchedule::MayBegin(std::size_t standing) const {
  const std::array<std::size_t, 3> most = {limits_.after_quick, limits_.of_new,
                                           limits_.after_slow};
  // Another slow lookup is expected of the slow ones: there is no wait for it.
  const bool at_once =
      standing == kSlow || recent_[standing].size() < limits_.at_once;
  return at_once && in_progress_.size() < most[standing];
}

void LookupSchedule::ForgetSlowOnes(SteadyTime now) {
  for (Times& recent : recent_) {
    while (!recent.empty() && recent.begin()->first + limits_.patience <= now) {
      recent.erase(recent.begin());
    }
  }
}

std::optional<LookupSchedule::Key> LookupSchedule::Take(SteadyTime now) {
  ForgetSlowOnes(now);
  for (const Standing standing : {kQuick, kNew, kSlow}) {
    const Times& due = due_[standing];
    if (due.empty() || due.begin()->first > now || !MayBegin(standing)) {
      continue;
    }
    const Key key = due.begin()->second;
    const auto recent = recent_[standing].emplace(now, key).first;
    try {
      in_progress_.try_emplace(key,
                               Progress{.standing = standing, .began = now});
    } catch (...) {
      recent_[standing].erase(recent);
      throw;
    }
    in_progress_.at(key).due = due_[standing].extract(due_[standing].begin());
    names_.at(key).due.reset();
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
    } else if (!recent_[standing].empty()) {
      next =
          std::min(next, recent_[standing].begin()->first + limits_.patience);
    }
  }
  return next;
}

void LookupSchedule::Finish(Key key, End end, SteadyTime now) noexcept {
  auto in_progress = in_progress_.extract(key);
  Progress& progress = in_progress.mapped();
  recent_[progress.standing].erase({progress.began, key});
  const auto found = names_.find(key);
  if (found == names_.end()) return;  // removed meanwhile
  Name& name = found->second;         // without `due`
  // An answer that was long in coming, as after a packet that was lost, makes
  // no name slow: the next one will come sooner.
  const bool slow =
      end == End::kNoAnswer && now - progress.began >= limits_.patience;
  name.standing = slow ? kSlow : kQuick;
  name.failures = end == End::kAnswer ? 0 : name.failures + 1;
  name.due = now + WaitAfter(name, end);
  progress.due.value() = {*name.due, key};
  due_[name.standing].insert(std::move(progress.due));
}

Nanoseconds LookupSchedule::WaitAfter(const Name& name, End end) const {
  if (end == End::kAnswer) return name.refresh;
  constexpr unsigned kMostDoublings = 12;  // no overflow
  unsigned doublings = std::min(name.failures - 1, kMostDoublings);
  if (end == End::kNoSuchName) ++doublings;
  return std::min(
      {limits_.retry * (1U << doublings), limits_.longest_retry, name.refresh});
}

void LookupSchedule::SetDue(Key key, Name& name, SteadyTime due) {
  due_[name.standing].emplace(due, key);
  if (name.due != due) ClearDue(key, name);
  name.due = due;
}

void LookupSchedule::ClearDue(Key key, Name& name) {
  if (name.due) due_[name.standing].erase({*name.due, key});
  name.due.reset();
}

}  // namespace echo_exporter
