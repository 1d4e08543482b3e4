#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/address_book.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// The names whose addresses a plan depends on. Those that a plan asks for are
/// watched from then on; when it is committed, the others no longer are.
///
/// HaveChanged() is thread-safe; the others are confined to one thread at a
/// time.
class WatchedNames {
 public:
  /// `book` must outlive this.
  explicit WatchedNames(AddressBook& book) : book_(book) {}
  ~WatchedNames() {
    Abandon();
    Commit();
  }
  WatchedNames(const WatchedNames&) = delete;
  WatchedNames& operator=(const WatchedNames&) = delete;

  /// For the plan: the known addresses of a name. Throws std::bad_alloc.
  std::vector<IpAddress> Addresses(const std::string& name,
                                   Nanoseconds refresh);
  /// The plan is in effect.
  void Commit() noexcept;
  /// The plan came to nothing.
  void Abandon() noexcept;

  /// Whether a name has other addresses than the plan in effect was told.
  bool HaveChanged();

 private:
  struct Name {
    AddressBook::Watch watch;
    std::vector<IpAddress> addresses;
  };
  using Names = std::map<std::pair<std::string, Nanoseconds>, Name>;

  AddressBook& book_;
  Names planned_;
  Mutex mutex_;
  Names current_ GUARDED_BY(mutex_);
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;  ///< without a change
};

}  // namespace echo_exporter
