#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/condition_log.h"
#include "src/base/log.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Logs the lists that cannot be refreshed. Several groups may have one of the
/// same name, read in another way, of which one is good and another is not: it
/// fails as long as one of those who have it (`owner`) says so.
///
/// Thread-safe.
class FailingLists {
 public:
  explicit FailingLists(ConditionLog::Sink sink = Log)
      : log_({.begins = "target list unusable; its last good targets stay",
              .ends = "target list usable again",
              .subject = "list"},
             Clock::System(), std::move(sink)) {}

  void Report(const void* owner, const std::string& name,
              std::string_view reason) {
    const MutexLock lock(mutex_);
    owners_[name].insert(owner);
    log_.Report(name, reason);
  }
  void End(const void* owner, const std::string& name) {
    const MutexLock lock(mutex_);
    if (WasLast(owner, name)) log_.End(name);
  }
  /// The owner no longer has it.
  void Forget(const void* owner, const std::string& name) {
    const MutexLock lock(mutex_);
    if (WasLast(owner, name)) log_.Forget(name);
  }

 private:
  bool WasLast(const void* owner, const std::string& name) REQUIRES(mutex_) {
    const auto found = owners_.find(name);
    if (found == owners_.end() || found->second.erase(owner) == 0 ||
        !found->second.empty()) {
      return false;
    }
    owners_.erase(found);
    return true;
  }

  Mutex mutex_;
  std::map<std::string, std::set<const void*>> owners_ GUARDED_BY(mutex_);
  ConditionLog log_;
};

}  // namespace echo_exporter
