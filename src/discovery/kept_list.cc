#include "src/discovery/kept_list.h"

#include <functional>
#include <utility>

namespace echo_exporter {

KeptList::KeptList(ListServices& services, std::string name,
                   TargetListFormat format, bool strip_port)
    : services_(services),
      name_(std::move(name)),
      format_(format),
      strip_port_(strip_port) {
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
  newer_ = Version{
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
  if (!refused_) services_.failing.End(name_);
}

void KeptList::Fail(const std::string& error) {
  const MutexLock lock(mutex_);
  FailLocked(error);
}

void KeptList::FailLocked(const std::string& error) {
  ++failures_;
  services_.failing.Report(name_, error);
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
  if (std::exchange(refused_, false)) services_.failing.End(name_);
  if (!used_.stored) services_.store.Save(name_, used_.origin);
  used_.origin.text = {};
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
