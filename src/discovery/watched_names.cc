#include "src/discovery/watched_names.h"

namespace echo_exporter {

std::vector<IpAddress> WatchedNames::Addresses(const std::string& name,
                                               Nanoseconds refresh) {
  const auto [place, is_new] = planned_.try_emplace({name, refresh});
  if (!is_new) return place->second.addresses;
  try {
    const MutexLock lock(mutex_);
    const auto found = current_.find(place->first);
    place->second.watch = found == current_.end()
                              ? book_.WatchName(name, refresh)
                              : found->second.watch;
  } catch (...) {
    planned_.erase(place);
    throw;
  }
  place->second.addresses = book_.Addresses(place->second.watch.entry);
  return place->second.addresses;
}

void WatchedNames::Commit() noexcept {
  const MutexLock lock(mutex_);
  for (const auto& [key, name] : current_) {
    if (!planned_.contains(key)) book_.Unwatch(name.watch);
  }
  current_.swap(planned_);
  planned_.clear();
  generation_ = 0;
}

void WatchedNames::Abandon() noexcept {
  const MutexLock lock(mutex_);
  for (const auto& [key, name] : planned_) {
    if (!current_.contains(key)) book_.Unwatch(name.watch);
  }
  planned_.clear();
}

bool WatchedNames::HaveChanged() {
  const MutexLock lock(mutex_);
  const std::uint64_t generation = book_.generation();
  if (generation == generation_) return false;
  for (const auto& [key, name] : current_) {
    if (book_.Addresses(name.watch.entry) != name.addresses) return true;
  }
  generation_ = generation;
  return false;
}

}  // namespace echo_exporter
