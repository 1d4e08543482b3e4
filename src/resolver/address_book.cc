#include "echo_exporter/address_book.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "src/base/call_threads.h"
#include "src/base/mutex.h"
#include "src/resolver/address_order.h"
#include "src/resolver/lookup_schedule.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kKeptThreads = 8;

Error RefusedError(const std::string& name,
                   const std::vector<IpAddress>& refused) {
  std::string list;
  for (const IpAddress& address : refused) {
    list += (list.empty() ? "" : ", ") + address.ToString();
  }
  return {ErrorCode::kNotFound, "resolving " + name + ": " + list +
                                    ": not an address that a host can have"};
}

LookupSchedule::End EndOf(const Error* error) {
  if (error == nullptr) return LookupSchedule::End::kAnswer;
  return error->code == ErrorCode::kNotFound ? LookupSchedule::End::kNoSuchName
                                             : LookupSchedule::End::kNoAnswer;
}

}  // namespace

Result<HostAddresses> ResolveHost(AddressLookup& lookup,
                                  const std::string& name) {
  auto found = lookup.ResolveName(name);
  if (!found.ok()) return found.error();
  HostAddresses host;
  for (const IpAddress& address : found.value()) {
    (address.IsHost() ? host.addresses : host.refused).push_back(address);
  }
  if (host.addresses.empty()) return RefusedError(name, host.refused);
  return host;
}

Result<IpAddress> ResolveZone(AddressLookup& lookup,
                              const ZonedAddress& address) {
  if (address.zone.empty()) return address.address;
  const auto zone = lookup.InterfaceZone(address.zone);
  if (!zone.ok()) return zone.error();
  return IpAddress::V6(address.address.bytes(), zone.value());
}

// One thread begins the lookups that are due, on threads for calls that may
// block, and each of these stores its result.
class AddressBook::Impl {
 public:
  Impl(AddressLookup& lookup, const Options& options,
       FailureCallback on_failure)
      : lookup_(lookup),
        options_(options),
        on_failure_(std::move(on_failure)),
        names_({.retry = options.retry}),
        adapters_({.retry = options.interface_refresh}),
        thread_([this] { BeginLookups(); }) {}

  ~Impl() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Watch WatchName(const std::string& name, Nanoseconds refresh) {
    return Begin({Kind::kName, name, {}}, refresh);
  }

  Watch WatchInterface(const std::string& name) {
    return Begin({Kind::kInterface, name, {}}, options_.interface_refresh);
  }

  Watch WatchZone(const ZonedAddress& address, bool is_source) {
    return Begin({is_source ? Kind::kSource : Kind::kDestination,
                  address.ToString(), address},
                 options_.interface_refresh);
  }

  void Unwatch(const Watch& watch) noexcept {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(watch.entry);
    Entry& entry = found->second;
    entry.refreshes.erase(entry.refreshes.find(watch.refresh));
    if (!entry.refreshes.empty()) {
      ScheduleOf(entry.subject)
          .SetRefresh(watch.entry, *entry.refreshes.begin(),
                      std::chrono::steady_clock::now());
      return;
    }
    ids_.erase(entry.place);
    ScheduleOf(entry.subject).Remove(watch.entry);
    ReportFailure(entry, nullptr, /*watched=*/false);
    entries_.erase(found);
  }

  std::optional<SourceAddresses> Sources(EntryId id) const {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(id);
    return found == entries_.end() ? std::nullopt : found->second.known;
  }

  std::uint64_t generation() const { return generation_; }

 private:
  // kDestination and kSource: an address in the zone of an adapter.
  enum class Kind : std::uint8_t { kName, kInterface, kDestination, kSource };
  struct Subject {
    Kind kind;
    std::string name;
    ZonedAddress address;
  };
  using Ids = std::map<std::pair<Kind, std::string>, EntryId>;
  struct Entry {
    Subject subject;
    Ids::iterator place;
    std::multiset<Nanoseconds> refreshes = {};  // one for each watch
    std::optional<SourceAddresses> known = {};
    bool failing = false;
  };
  // What a lookup has found: addresses, an error, or, when a part of the
  // addresses is refused, both.
  struct Answer {
    std::optional<SourceAddresses> found;
    std::optional<Error> error;
  };

  LookupSchedule& ScheduleOf(const Subject& subject) REQUIRES(mutex_) {
    return subject.kind == Kind::kName ? names_ : adapters_;
  }

  // When it throws, nothing has changed; nor have AddEntry() and AddRefresh().
  Watch Begin(const Subject& subject, Nanoseconds refresh) {
    const MutexLock lock(mutex_);
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto found = ids_.find({subject.kind, subject.name});
    EntryId id = 0;
    if (found == ids_.end()) {
      id = AddEntry(subject, refresh, now);
    } else {
      id = found->second;
      AddRefresh(id, refresh, now);
    }
    changed_.NotifyAll();
    return {id, refresh};
  }

  EntryId AddEntry(const Subject& subject, Nanoseconds refresh, SteadyTime now)
      REQUIRES(mutex_) {
    const EntryId id = next_id_;
    const auto place = ids_.try_emplace({subject.kind, subject.name}, id).first;
    try {
      entries_.emplace(
          id,
          Entry{.subject = subject, .place = place, .refreshes = {refresh}});
      ScheduleOf(subject).Add(id, refresh, now);
    } catch (...) {
      entries_.erase(id);
      ids_.erase(place);
      throw;
    }
    ++next_id_;
    return id;
  }

  void AddRefresh(EntryId id, Nanoseconds refresh, SteadyTime now)
      REQUIRES(mutex_) {
    Entry& entry = entries_.at(id);
    const auto place = entry.refreshes.insert(refresh);
    try {
      ScheduleOf(entry.subject).SetRefresh(id, *entry.refreshes.begin(), now);
    } catch (...) {
      entry.refreshes.erase(place);
      throw;
    }
  }

  void BeginLookups() {
    const MutexLock lock(mutex_);
    while (!stopping_) {
      const SteadyTime now = std::chrono::steady_clock::now();
      for (LookupSchedule* const schedule : {&adapters_, &names_}) {
        while (const auto id = schedule->Take(now)) BeginLookup(*id);
      }
      const SteadyTime next =
          std::min(adapters_.NextChange(), names_.NextChange());
      if (next == SteadyTime::max()) {
        changed_.Wait(mutex_);
      } else {
        changed_.WaitUntil(mutex_, next);
      }
    }
  }

  void BeginLookup(EntryId id) REQUIRES(mutex_) {
    const Subject& subject = entries_.at(id).subject;
    const bool begun = threads_.Run([this, id, subject] {
      Answer answer = LookUp(subject);
      Store(id, subject, std::move(answer));
    });
    // Without a thread, it is tried again as after a lookup without an answer.
    if (!begun) {
      ScheduleOf(subject).Finish(id, LookupSchedule::End::kNoAnswer,
                                 std::chrono::steady_clock::now());
    }
  }

  Answer LookUp(const Subject& subject) {
    switch (subject.kind) {
      case Kind::kName: {
        auto host = ResolveHost(lookup_, subject.name);
        if (!host.ok()) return {{}, host.error()};
        Answer answer{SourceAddresses{std::move(host.value().addresses)}, {}};
        if (const auto& refused = host.value().refused; !refused.empty()) {
          answer.error = RefusedError(subject.name, refused);
        }
        return answer;
      }
      case Kind::kInterface: {
        auto found = lookup_.InterfaceAddresses(subject.name);
        if (!found.ok()) return {{}, found.error()};
        return {std::move(found).value(), {}};
      }
      case Kind::kDestination:
      case Kind::kSource: {
        auto address = ResolveZone(lookup_, subject.address);
        if (!address.ok()) return {{}, address.error()};
        return {SourceAddresses{{address.value()}}, {}};
      }
    }
    return {};
  }

  void Store(EntryId id, const Subject& subject, Answer answer) {
    const MutexLock lock(mutex_);
    const Error* const error = answer.error ? &*answer.error : nullptr;
    ScheduleOf(subject).Finish(id, EndOf(answer.found ? nullptr : error),
                               std::chrono::steady_clock::now());
    changed_.NotifyAll();
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // removed meanwhile
    Entry& entry = found->second;
    if (answer.found) {
      if (subject.kind == Kind::kName) {
        answer.found->addresses =
            KeepOrder(entry.known.value_or(SourceAddresses()).addresses,
                      std::move(answer.found->addresses));
      }
      SetKnown(entry, *std::move(answer.found));
    } else if (IsGoneWithItsAdapter(subject.kind) &&
               error->code != ErrorCode::kExhausted) {
      SetKnown(entry, {});
    }
    ReportFailure(entry, error);
  }

  // With the lock held, so that the last report says how it is. Null: none.
  void ReportFailure(Entry& entry, const Error* error,
                     bool watched = true) noexcept REQUIRES(mutex_) {
    const bool was_failing = std::exchange(entry.failing, error != nullptr);
    if (!on_failure_ || (!entry.failing && !was_failing)) return;
    try {
      on_failure_(entry.subject.name, error, watched);
    } catch (const std::bad_alloc&) {
      // A report is lost, and nothing else.
    }
  }

  static bool IsGoneWithItsAdapter(Kind kind) {
    return kind == Kind::kInterface || kind == Kind::kSource;
  }

  void SetKnown(Entry& entry, SourceAddresses known) REQUIRES(mutex_) {
    if (entry.known == known) return;
    entry.known = std::move(known);
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
  Ids ids_ GUARDED_BY(mutex_);
  LookupSchedule names_ GUARDED_BY(mutex_);
  LookupSchedule adapters_ GUARDED_BY(mutex_);  // and zones

  // Destroyed before what the threads use.
  CallThreads threads_{kKeptThreads};
  std::thread thread_;
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

AddressBook::Watch AddressBook::WatchZone(const ZonedAddress& address,
                                          bool is_source) {
  return impl_->WatchZone(address, is_source);
}

void AddressBook::Unwatch(const Watch& watch) noexcept {
  impl_->Unwatch(watch);
}

std::vector<IpAddress> AddressBook::Addresses(EntryId entry) const {
  return Sources(entry).value_or(SourceAddresses()).addresses;
}

std::optional<SourceAddresses> AddressBook::Sources(EntryId entry) const {
  return impl_->Sources(entry);
}

std::uint64_t AddressBook::generation() const { return impl_->generation(); }

}  // namespace echo_exporter
