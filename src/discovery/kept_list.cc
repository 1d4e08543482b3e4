#include "src/discovery/kept_list.h"

#include <chrono>
#include <functional>
#include <utility>

namespace echo_exporter {

void LiveLists::Add(const KeptList& list) {
  const MutexLock lock(mutex_);
  lists_.emplace(list.name(), &list);
}

void LiveLists::Remove(const KeptList& list) {
  const MutexLock lock(mutex_);
  const auto [begin, end] = lists_.equal_range(list.name());
  for (auto place = begin; place != end; ++place) {
    if (place->second != &list) continue;
    lists_.erase(place);
    return;
  }
}

std::vector<std::string> LiveLists::Names() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, list] : lists_) names.push_back(name);
  return names;
}

std::optional<LiveLists::Heritage> LiveLists::HeritageOf(
    const KeptList& heir) const {
  const MutexLock lock(mutex_);
  const auto [begin, end] = lists_.equal_range(heir.name_);
  for (auto place = begin; place != end; ++place) {
    const KeptList& list = *place->second;
    if (list.format_ != heir.format_ || list.strip_port_ != heir.strip_port_) {
      continue;
    }
    const MutexLock list_lock(list.mutex_);
    if (list.used_.list) return Heritage{list.used_, list.last_success_};
  }
  return std::nullopt;
}

KeptList::KeptList(ListServices& services, std::string name,
                   TargetListFormat format, bool strip_port)
    : services_(services),
      name_(std::move(name)),
      format_(format),
      strip_port_(strip_port) {
  Begin();
  services_.live.Add(*this);
}

KeptList::~KeptList() {
  services_.live.Remove(*this);
  services_.failing.Forget(this, name_);
}

void KeptList::Begin() {
  if (auto heritage = services_.live.HeritageOf(*this)) {
    const MutexLock lock(mutex_);
    newer_ = std::move(heritage->version);
    last_success_ = heritage->last_success;
    return;
  }
  auto stored = services_.store.Load(name_);
  if (!stored) return;
  const WallTime changed = stored->changed;
  if (!Set(*std::move(stored), /*stored=*/true).empty()) return;
  const MutexLock lock(mutex_);
  last_success_ = changed;
}

std::string KeptList::Set(ListText origin, bool stored) {
  auto list = ReadTargetList(origin.text, name_, format_, strip_port_);
  if (!list.ok()) return list.error().message;
  const std::size_t hash = std::hash<std::string>()(origin.text);
  const MutexLock lock(mutex_);
  if (newer_ && newer_->hash == hash) {
    newer_->origin.etag = std::move(origin.etag);
    return "";
  }
  refused_ = false;
  if (used_.list != nullptr && used_.hash == hash) {
    newer_.reset();
    used_.origin.etag = std::move(origin.etag);
    return "";
  }
  newer_ = ListVersion{
      .list = std::make_shared<const TargetList>(std::move(list).value()),
      .origin = std::move(origin),
      .hash = hash,
      .stored = stored};
  return "";
}

std::string KeptList::Take(std::string text, std::string etag) {
  std::string fault = Set({.text = std::move(text),
                           .etag = std::move(etag),
                           .changed = services_.clock.WallNow()},
                          /*stored=*/false);
  if (fault.empty()) Confirm();
  return fault;
}

void KeptList::Confirm() {
  const MutexLock lock(mutex_);
  last_success_ = services_.clock.WallNow();
  if (!refused_) services_.failing.End(this, name_);
  if (used_.list != nullptr && !used_.stored &&
      services_.clock.Now() >= store_due_) {
    StoreLocked();
  }
}

void KeptList::StoreLocked() {
  constexpr Nanoseconds kStoreInterval = std::chrono::seconds(10);
  store_due_ = services_.clock.Now() + kStoreInterval;
  used_.stored = services_.store.Save(name_, used_.origin);
  if (used_.stored) used_.origin.text = {};
}

void KeptList::Fail(const std::string& error) {
  const MutexLock lock(mutex_);
  FailLocked(error);
}

void KeptList::FailWithoutMemory() noexcept {
  const MutexLock lock(mutex_);
  ++failures_;
}

void KeptList::FailLocked(const std::string& error) {
  services_.failing.Report(this, name_, error);
  ++failures_;
}

std::shared_ptr<const TargetList> KeptList::Get(bool newer) const {
  const MutexLock lock(mutex_);
  return newer && newer_ ? newer_->list : used_.list;
}

bool KeptList::HasNews() const {
  const MutexLock lock(mutex_);
  return newer_ && !refused_;
}

void KeptList::Accept(const std::shared_ptr<const TargetList>& newer) {
  const MutexLock lock(mutex_);
  if (!newer_ || newer_->list != newer) return;  // there is a newer one yet
  used_ = *std::exchange(newer_, std::nullopt);
  if (std::exchange(refused_, false)) services_.failing.End(this, name_);
  if (used_.stored) {
    used_.origin.text = {};
  } else {
    StoreLocked();
  }
}

void KeptList::Refuse(const std::string& error) {
  const MutexLock lock(mutex_);
  if (std::exchange(refused_, true)) return;
  FailLocked(error);
}

void KeptList::Drop() { services_.store.Remove(name_); }

std::optional<std::size_t> KeptList::hash() const {
  const MutexLock lock(mutex_);
  if (newer_) return newer_->hash;
  if (used_.list != nullptr) return used_.hash;
  return std::nullopt;
}

std::string KeptList::etag() const {
  const MutexLock lock(mutex_);
  return newer_ ? newer_->origin.etag : used_.origin.etag;
}

KeptList::Facts KeptList::facts() const {
  const MutexLock lock(mutex_);
  Facts facts{
      .failures = failures_, .last_success = last_success_, .last_change = {}};
  if (used_.list != nullptr) {
    facts.targets = used_.list->targets.size();
    facts.rejected = used_.list->rejected;
    facts.last_change = used_.origin.changed;
  }
  return facts;
}

}  // namespace echo_exporter
