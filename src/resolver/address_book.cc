#include "echo_exporter/address_book.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <new>
#include <queue>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "src/base/mutex.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {

// A heap of due times shared by a few threads: each takes the entry that is due
// first, calls the system's resolver with the lock released, stores the result
// and puts the entry back with its next due time. An entry in progress is not
// in the heap, so it has only one lookup at a time.
class AddressBook::Impl {
 public:
  Impl(AddressLookup& lookup, const Options& options,
       FailureCallback on_failure)
      : lookup_(lookup), options_(options), on_failure_(std::move(on_failure)) {
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  ~Impl() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    for (std::thread& thread : threads_) thread.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Watch WatchName(const std::string& name, Nanoseconds refresh) {
    return Begin(Kind::kName, name, refresh);
  }

  Watch WatchInterface(const std::string& name) {
    return Begin(Kind::kInterface, name, options_.interface_refresh);
  }

  void Unwatch(const Watch& watch) {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(watch.entry);
    Entry& entry = found->second;
    entry.refreshes.erase(entry.refreshes.find(watch.refresh));
    if (!entry.refreshes.empty()) return;
    ids_.erase({entry.kind, entry.name});
    entries_.erase(found);
    DropStale();
  }

  std::vector<IpAddress> Addresses(EntryId id) const {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    return found == entries_.end() ? std::vector<IpAddress>()
                                   : found->second.addresses;
  }

  std::uint32_t InterfaceIndex(EntryId id) const {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    return found == entries_.end() ? 0 : found->second.interface_index;
  }

  std::uint64_t generation() const { return generation_; }

 private:
  enum class Kind : std::uint8_t { kName, kInterface };
  struct Entry {
    Kind kind;
    std::string name;
    std::multiset<Nanoseconds> refreshes = {};  // one for each watch
    std::vector<IpAddress> addresses = {};
    std::uint32_t interface_index = 0;
    std::optional<SteadyTime> due = std::nullopt;  // absent: in progress
  };
  using DueEntry = std::pair<SteadyTime, EntryId>;

  // When it throws, at most an item of the heap is left that no entry agrees
  // with.
  Watch Begin(Kind kind, const std::string& name, Nanoseconds refresh) {
    const MutexLock lock(mutex_);
    const SteadyTime now = std::chrono::steady_clock::now();
    if (const auto found = ids_.find({kind, name}); found != ids_.end()) {
      const EntryId id = found->second;
      Entry& entry = entries_.at(id);
      const bool sooner = entry.due && now + refresh < *entry.due;
      if (sooner) heap_.emplace(now + refresh, id);
      entry.refreshes.insert(refresh);
      if (sooner) entry.due = now + refresh;
      changed_.NotifyAll();
      return {id, refresh};
    }
    const EntryId id = next_id_;
    heap_.emplace(now, id);
    const auto place = entries_
                           .emplace(id, Entry{.kind = kind,
                                              .name = name,
                                              .refreshes = {refresh},
                                              .due = now})
                           .first;
    try {
      ids_.try_emplace({kind, name}, id);
    } catch (...) {
      entries_.erase(place);
      throw;
    }
    ++next_id_;
    changed_.NotifyAll();
    return {id, refresh};
  }

  void Schedule(EntryId id, Entry& entry, SteadyTime due) REQUIRES(mutex_) {
    heap_.emplace(due, id);
    entry.due = due;
    // Every idle thread checks the heap again and then sleeps until the
    // earliest due time, so that none is missed while other threads are busy.
    changed_.NotifyAll();
  }

  // Removes outdated items, of entries removed or rescheduled, which would
  // otherwise stay in the heap for their whole refresh time.
  void DropStale() REQUIRES(mutex_) {
    constexpr std::size_t kFew = 64;
    if (heap_.size() <= 2 * entries_.size() + kFew) return;
    decltype(heap_) fresh;
    try {
      for (const auto& [id, entry] : entries_) {
        if (entry.due) fresh.emplace(*entry.due, id);
      }
    } catch (const std::bad_alloc&) {
      return;  // the next time, perhaps
    }
    heap_.swap(fresh);
  }

  // The next entry that is due, marked as in progress; absent when stopping.
  std::optional<EntryId> TakeDue() REQUIRES(mutex_) {
    while (!stopping_) {
      if (heap_.empty()) {
        changed_.Wait(mutex_);
        continue;
      }
      const auto [due, id] = heap_.top();
      const auto found = entries_.find(id);
      if (found == entries_.end() || found->second.due != due) {
        heap_.pop();  // removed or rescheduled meanwhile
      } else if (due > std::chrono::steady_clock::now()) {
        changed_.WaitUntil(mutex_, due);
      } else {
        heap_.pop();
        found->second.due.reset();
        return id;
      }
    }
    return std::nullopt;
  }

  void Work() {
    while (true) {
      EntryId id = 0;
      Kind kind = Kind::kName;
      std::string name;
      {
        const MutexLock lock(mutex_);
        const std::optional<EntryId> due = TakeDue();
        if (!due) return;
        id = *due;
        const Entry& entry = entries_.at(id);
        kind = entry.kind;
        name = entry.name;
      }
      const bool is_name = kind == Kind::kName;
      Result<std::vector<IpAddress>> answer =
          is_name ? lookup_.ResolveName(name)
                  : lookup_.InterfaceAddresses(name);
      if (!answer.ok() && on_failure_) on_failure_(name, answer.error());
      Store(id, std::move(answer), is_name ? 0 : lookup_.InterfaceIndex(name));
    }
  }

  void Store(EntryId id, Result<std::vector<IpAddress>> answer,
             std::uint32_t interface_index) {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // removed meanwhile
    Entry& entry = found->second;
    Nanoseconds wait = *entry.refreshes.begin();
    if (entry.interface_index != interface_index) {
      entry.interface_index = interface_index;
      ++generation_;
    }
    if (entry.kind == Kind::kInterface) {
      SetAddresses(entry, answer.ok() ? std::move(answer).value()
                                      : std::vector<IpAddress>());
    } else if (answer.ok()) {
      SetAddresses(entry,
                   KeepOrder(entry.addresses, std::move(answer).value()));
    } else {
      wait = std::min(wait, options_.retry);
    }
    Schedule(id, entry, std::chrono::steady_clock::now() + wait);
  }

  void SetAddresses(Entry& entry, std::vector<IpAddress> addresses)
      REQUIRES(mutex_) {
    if (entry.addresses == addresses) return;
    entry.addresses = std::move(addresses);
    ++generation_;
  }

  AddressLookup& lookup_;
  const Options options_;
  const FailureCallback on_failure_;

  std::atomic<std::uint64_t> generation_ = 1;
  CondVar changed_;

  mutable Mutex mutex_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::unordered_map<EntryId, Entry> entries_ GUARDED_BY(mutex_);
  EntryId next_id_ GUARDED_BY(mutex_) = 0;
  std::map<std::pair<Kind, std::string>, EntryId> ids_ GUARDED_BY(mutex_);
  std::priority_queue<DueEntry, std::vector<DueEntry>, std::greater<>> heap_
      GUARDED_BY(mutex_);

  std::vector<std::thread> threads_;
};

AddressBook::AddressBook(AddressLookup& lookup, const Options& options,
                         FailureCallback on_failure)
    : impl_(std::make_unique<Impl>(lookup, options, std::move(on_failure))) {}

AddressBook::~AddressBook() = default;

AddressBook::Watch AddressBook::WatchName(const std::string& name,
                                          Nanoseconds refresh) {
  return impl_->WatchName(name, refresh);
}

AddressBook::Watch AddressBook::WatchInterface(
    const std::string& interface_name) {
  return impl_->WatchInterface(interface_name);
}

void AddressBook::Unwatch(const Watch& watch) noexcept {
  impl_->Unwatch(watch);
}

std::vector<IpAddress> AddressBook::Addresses(EntryId entry) const {
  return impl_->Addresses(entry);
}

std::uint32_t AddressBook::InterfaceIndex(EntryId entry) const {
  return impl_->InterfaceIndex(entry);
}

std::uint64_t AddressBook::generation() const { return impl_->generation(); }

}  // namespace echo_exporter
