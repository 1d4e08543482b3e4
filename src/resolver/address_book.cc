#include "echo_exporter/address_book.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
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

// A zone is a number only; it differs by what happens when its adapter is gone.
enum class Kind : std::uint8_t {
  kName,
  kInterface,
  kDestinationZone,
  kSourceZone
};

struct Subject {
  Kind kind;
  std::string name;

  friend auto operator<=>(const Subject&, const Subject&) = default;
};

LookupSchedule::Limits OfAdapters(Nanoseconds refresh) {
  return {.after_quick = 32, .of_new = 24, .after_slow = 8, .retry = refresh};
}

// What a lookup has found: addresses, an error, or, when a part of the
// addresses is refused, both; without the memory for either, nothing.
struct Answer {
  std::optional<SourceAddresses> found;
  std::optional<Error> error;
};

Answer LookUp(AddressLookup& lookup, const Subject& subject) {
  switch (subject.kind) {
    case Kind::kName: {
      auto host = ResolveHost(lookup, subject.name);
      if (!host.ok()) return {{}, host.error()};
      Answer answer{SourceAddresses{std::move(host.value().addresses)}, {}};
      if (const auto& refused = host.value().refused; !refused.empty()) {
        answer.error = RefusedError(subject.name, refused);
      }
      return answer;
    }
    case Kind::kInterface: {
      auto found = lookup.InterfaceAddresses(subject.name);
      if (!found.ok()) return {{}, found.error()};
      return {std::move(found).value(), {}};
    }
    case Kind::kDestinationZone:
    case Kind::kSourceZone: {
      const auto zone = lookup.InterfaceZone(subject.name);
      if (!zone.ok()) return {{}, zone.error()};
      return {SourceAddresses{{}, zone.value()}, {}};
    }
  }
  return {};
}

LookupSchedule::End EndOf(const Error* error) {
  if (error == nullptr) return LookupSchedule::End::kAnswer;
  return error->code == ErrorCode::kNotFound ? LookupSchedule::End::kNoSuchName
                                             : LookupSchedule::End::kNoAnswer;
}

bool IsGoneWithItsAdapter(Kind kind) {
  return kind == Kind::kInterface || kind == Kind::kSourceZone;
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
struct AddressBook::Impl {
  using Ids = std::map<Subject, EntryId>;
  struct Entry {
    Ids::iterator place;
    std::multiset<Nanoseconds> refreshes = {};  // one for each watch
    std::optional<SourceAddresses> known = {};
    bool failing = false;
    bool stale = false;  // see Report
  };

  Impl(AddressLookup& system, const Options& options, FailureCallback report)
      : lookup(system),
        interface_refresh(options.interface_refresh),
        on_failure(std::move(report)),
        names({.retry = options.retry}),
        adapters(OfAdapters(options.interface_refresh)),
        thread([this] { BeginLookups(); }) {}
  ~Impl() {
    {
      const MutexLock lock(mutex);
      stopping = true;
    }
    changed.NotifyAll();
    thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  LookupSchedule& ScheduleOf(Kind kind) REQUIRES(mutex) {
    return kind == Kind::kName ? names : adapters;
  }

  std::optional<SourceAddresses> Known(EntryId id) {
    const MutexLock lock(mutex);
    const auto found = entries.find(id);
    return found == entries.end() ? std::nullopt : found->second.known;
  }

  Watch Begin(Subject subject, Nanoseconds refresh);
  void BeginLookups();
  void BeginLookup(EntryId id) REQUIRES(mutex);
  void Store(EntryId id, Kind kind, Answer answer) noexcept;
  void SetKnown(Entry& entry, SourceAddresses known) REQUIRES(mutex);
  enum class End : std::uint8_t { kStored, kNotStored, kUnwatched };
  void ReportEnd(Entry& entry, const Error* error, End end) noexcept
      REQUIRES(mutex);

  AddressLookup& lookup;
  const Nanoseconds interface_refresh;
  const FailureCallback on_failure;
  /// Here, because there is no memory for it when it is needed.
  const Error no_means{ErrorCode::kExhausted,
                       "no thread or no memory for the lookup"};

  std::atomic<std::uint64_t> generation = 1;
  CondVar changed;

  Mutex mutex;
  bool stopping GUARDED_BY(mutex) = false;
  std::unordered_map<EntryId, Entry> entries GUARDED_BY(mutex);
  EntryId next_id GUARDED_BY(mutex) = 0;
  Ids ids GUARDED_BY(mutex);
  std::size_t stale GUARDED_BY(mutex) = 0;  // entries
  LookupSchedule names GUARDED_BY(mutex);
  LookupSchedule adapters GUARDED_BY(mutex);  // and zones

  // Destroyed before what the threads use.
  CallThreads threads{kKeptThreads};
  std::thread thread;
};

// When it throws, nothing has changed.
AddressBook::Watch AddressBook::Impl::Begin(Subject subject,
                                            Nanoseconds refresh) {
  const MutexLock lock(mutex);
  const SteadyTime now = std::chrono::steady_clock::now();
  LookupSchedule& schedule = ScheduleOf(subject.kind);
  const auto [place, is_new] = ids.try_emplace(std::move(subject), next_id);
  const EntryId id = place->second;
  if (is_new) {
    try {
      entries.emplace(id, Entry{.place = place, .refreshes = {refresh}});
      schedule.Add(id, refresh, now);
    } catch (...) {
      entries.erase(id);
      ids.erase(place);
      throw;
    }
    ++next_id;
  } else {
    auto& refreshes = entries.at(id).refreshes;
    refreshes.insert(refresh);
    schedule.SetRefresh(id, *refreshes.begin(), now);
  }
  changed.NotifyAll();
  return {id, refresh};
}

void AddressBook::Impl::BeginLookups() {
  const MutexLock lock(mutex);
  while (!stopping) {
    const SteadyTime now = std::chrono::steady_clock::now();
    for (LookupSchedule* const schedule : {&adapters, &names}) {
      while (const auto id = schedule->Take(now)) BeginLookup(*id);
    }
    const SteadyTime next = std::min(adapters.NextChange(), names.NextChange());
    if (next == SteadyTime::max()) {
      changed.Wait(mutex);
    } else {
      changed.WaitUntil(mutex, next);
    }
  }
}

void AddressBook::Impl::BeginLookup(EntryId id) {
  Entry& entry = entries.at(id);
  const Kind kind = entry.place->first.kind;
  bool begun = false;
  try {
    begun = threads.Run([this, id, subject = entry.place->first] {
      Answer answer;
      try {
        answer = LookUp(lookup, subject);
      } catch (const std::bad_alloc&) {
        // There is neither an address nor an error in it.
      }
      Store(id, subject.kind, std::move(answer));
    });
  } catch (const std::bad_alloc&) {
    // As without a thread.
  }
  if (begun) return;
  // It is tried again as after a lookup without an answer.
  ScheduleOf(kind).Finish(id, LookupSchedule::End::kNoAnswer,
                          std::chrono::steady_clock::now());
  ReportEnd(entry, &no_means, End::kNotStored);
}

void AddressBook::Impl::Store(EntryId id, Kind kind, Answer answer) noexcept {
  const MutexLock lock(mutex);
  const Error* error = answer.error ? &*answer.error : nullptr;
  if (!answer.found && !error) error = &no_means;
  ScheduleOf(kind).Finish(id, EndOf(answer.found ? nullptr : error),
                          std::chrono::steady_clock::now());
  changed.NotifyAll();
  const auto found = entries.find(id);
  if (found == entries.end()) return;  // removed meanwhile
  Entry& entry = found->second;
  End end = End::kNotStored;
  if (answer.found) {
    try {
      if (kind == Kind::kName) {
        answer.found->addresses =
            KeepOrder(entry.known.value_or(SourceAddresses()).addresses,
                      std::move(answer.found->addresses));
      }
      SetKnown(entry, *std::move(answer.found));
      end = End::kStored;
    } catch (const std::bad_alloc&) {
      error = &no_means;
    }
  } else if (IsGoneWithItsAdapter(kind) &&
             error->code != ErrorCode::kExhausted) {
    SetKnown(entry, {});
  }
  ReportEnd(entry, error, end);
}

void AddressBook::Impl::SetKnown(Entry& entry, SourceAddresses known) {
  if (entry.known == known) return;
  entry.known = std::move(known);
  ++generation;
}

// With the lock held, so that the last report says how it is. Null: no error.
void AddressBook::Impl::ReportEnd(Entry& entry, const Error* error,
                                  End end) noexcept {
  const auto& [kind, name] = entry.place->first;
  const bool was_failing = std::exchange(entry.failing, error != nullptr);
  const bool is_stale =
      end == End::kNotStored &&
      (entry.known ? *entry.known != SourceAddresses() : kind != Kind::kName);
  stale -= std::exchange(entry.stale, is_stale) ? 1 : 0;
  stale += is_stale ? 1 : 0;
  if (!on_failure || (!entry.failing && !was_failing)) return;
  try {
    on_failure({.name = kind == Kind::kName ? name : "adapter " + name,
                .error = error,
                .watched = end != End::kUnwatched,
                .stale = stale});
  } catch (const std::bad_alloc&) {
    // A report is lost, and nothing else.
  }
}

AddressBook::AddressBook(AddressLookup& lookup, const Options& options,
                         FailureCallback on_failure)
    : impl_(std::make_unique<Impl>(lookup, options, std::move(on_failure))) {}

AddressBook::~AddressBook() = default;

AddressBook::Watch AddressBook::WatchName(const std::string& name,
                                          Nanoseconds refresh) {
  return impl_->Begin({Kind::kName, name}, refresh);
}

AddressBook::Watch AddressBook::WatchInterface(
    const std::string& interface_name) {
  return impl_->Begin({Kind::kInterface, interface_name},
                      impl_->interface_refresh);
}

AddressBook::Watch AddressBook::WatchZone(const std::string& interface_name,
                                          bool is_source) {
  const Kind kind = is_source ? Kind::kSourceZone : Kind::kDestinationZone;
  return impl_->Begin({kind, interface_name}, impl_->interface_refresh);
}

void AddressBook::Unwatch(const Watch& watch) noexcept {
  const MutexLock lock(impl_->mutex);
  const auto found = impl_->entries.find(watch.entry);
  Impl::Entry& entry = found->second;
  LookupSchedule& schedule = impl_->ScheduleOf(entry.place->first.kind);
  entry.refreshes.erase(entry.refreshes.find(watch.refresh));
  if (!entry.refreshes.empty()) {
    schedule.SetRefresh(watch.entry, *entry.refreshes.begin(),
                        std::chrono::steady_clock::now());
    return;
  }
  schedule.Remove(watch.entry);
  impl_->ReportEnd(entry, nullptr, Impl::End::kUnwatched);
  impl_->ids.erase(entry.place);
  impl_->entries.erase(found);
}

std::vector<IpAddress> AddressBook::Addresses(EntryId entry) const {
  return impl_->Known(entry).value_or(SourceAddresses()).addresses;
}

std::uint32_t AddressBook::InterfaceIndex(EntryId entry) const {
  return impl_->Known(entry).value_or(SourceAddresses()).interface_index;
}

bool AddressBook::IsKnown(EntryId entry) const {
  return impl_->Known(entry).has_value();
}

std::uint64_t AddressBook::generation() const { return impl_->generation; }

}  // namespace echo_exporter
