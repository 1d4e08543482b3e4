#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// The possible source addresses of echo requests.
struct SourceAddresses {
  std::vector<IpAddress> addresses;  ///< the first usable one is used
  /// EchoRequest::source_interface of the adapter that has the addresses; 0
  /// where the address alone decides.
  std::uint32_t interface_index = 0;

  friend bool operator==(const SourceAddresses&,
                         const SourceAddresses&) = default;
};

/// Looks up addresses in the operating system.
///
/// Implementations are thread-safe; the calls may block for as long as the
/// system's resolver does.
class AddressLookup {
 public:
  virtual ~AddressLookup() = default;

  /// Addresses of a host name in the system's order of preference (RFC 6724);
  /// never empty when ok. kNotFound: there is no such name.
  virtual Result<std::vector<IpAddress>> ResolveName(
      const std::string& name) = 0;

  /// Addresses of an adapter by its friendly name, usable as a source now,
  /// the stable ones first; never empty when ok. kExhausted: this process
  /// lacks what it takes to read them, so that they are not known.
  virtual Result<SourceAddresses> InterfaceAddresses(
      const std::string& interface_name) = 0;

  /// All addresses of this machine's adapters, those of loopback among them.
  virtual Result<std::vector<IpAddress>> OwnAddresses() = 0;

  /// The zone number (IpAddress::scope_id()) of the link of an adapter, by its
  /// friendly name; not 0. kExhausted: as above.
  virtual Result<std::uint32_t> InterfaceZone(
      const std::string& interface_name) = 0;
};

/// The lookup of this operating system.
std::unique_ptr<AddressLookup> CreateAddressLookup();

/// The addresses of a name that a host may have: see IpAddress::IsHost().
struct HostAddresses {
  std::vector<IpAddress> addresses;  ///< never empty
  std::vector<IpAddress> refused;    ///< other addresses of the name
};

/// ResolveName(), without addresses that no host has; fails if there is no
/// other.
Result<HostAddresses> ResolveHost(AddressLookup& lookup,
                                  const std::string& name);

/// `address` in the zone of an adapter, as "fe80::1%eth0" names it.
Result<IpAddress> ResolveZone(AddressLookup& lookup,
                              const ZonedAddress& address);

/// The source and destination address of an echo request.
struct Route {
  std::optional<IpAddress> source;  ///< absent: the system chooses
  IpAddress destination;
  /// As in EchoRequest; for sources that are adapters.
  std::uint32_t source_interface = 0;

  friend bool operator==(const Route&, const Route&) = default;
};

/// Why there is no Route.
enum class NoRoute : std::uint8_t {
  kDestinationUnresolved,  ///< the name has never resolved
  kSourceUnavailable,      ///< the adapter has no address now
  kSourceUnread,           ///< which addresses the adapter has is not known yet
  kVersionMismatch,        ///< no address of the wanted or of a common version
};

using RouteChoice = std::variant<Route, NoRoute>;

/// Selects the first destination that is allowed by `preference`, that the
/// transport can send to, and that a source can reach; one of the IP version
/// that is preferred, if there is one. `sources` absent means
/// "auto". Pure.
RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference, bool ipv4_supported,
                        bool ipv6_supported);

/// Refreshes the addresses of names and adapters in the background. The last
/// known addresses of a name stay in use when a refresh fails; those of an
/// adapter are removed with it. Lookups that hang do not delay the others:
/// see LookupSchedule; and adapters never wait for names.
///
/// Thread-safe.
class AddressBook {
 public:
  /// Identifies one watched entry while it is watched; never reused for
  /// another.
  using EntryId = std::uint32_t;

  /// One call that watches an entry, to be undone by Unwatch().
  struct Watch {
    EntryId entry = 0;
    Nanoseconds refresh{};
  };

  struct Options {
    /// How often adapters are read; an adapter's new address is used at most
    /// this much later.
    Nanoseconds interface_refresh = std::chrono::seconds(5);
    /// A failed lookup of a name is retried after this, or after the name's own
    /// refresh time when that is shorter; again and again later when it keeps
    /// failing.
    Nanoseconds retry = std::chrono::seconds(5);
  };

  struct Report {
    const std::string& name;  ///< a name, or "adapter" and that of an adapter
    const Error* error;       ///< null: it is found again
    bool watched;             ///< false: not any more
    /// Of all that are watched: how many could not be looked up the last time,
    /// so that what was found earlier is still used, or, of adapters, nothing
    /// is known yet. Neither names that never resolved nor adapters that are
    /// gone, of which their pairs tell.
    std::size_t stale;
  };
  /// Called once per failed lookup, and once when it is found again or not
  /// watched any more. Must be short and must not call the book.
  using FailureCallback = std::function<void(const Report& report)>;

  /// `lookup` must outlive the book.
  AddressBook(AddressLookup& lookup, const Options& options,
              FailureCallback on_failure);
  /// Stops the threads; waits for lookups in progress.
  ~AddressBook();
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  /// Watches a host name. Watching the same name again returns the same entry,
  /// refreshed at the shortest interval requested. The first lookup is due now.
  /// Throws std::bad_alloc, and watches nothing then.
  Watch WatchName(const std::string& name, Nanoseconds refresh);
  Watch WatchInterface(const std::string& interface_name);
  /// Watches which zone an adapter has, so that addresses in it stay usable
  /// when the adapter is made again with another number. For destinations, the
  /// zone stays in use while there is no such adapter, as the addresses of a
  /// name do; for sources, it does not, as those of an adapter.
  Watch WatchZone(const std::string& interface_name, bool is_source);

  /// Undoes one watch. An entry without watches is removed, and has no
  /// addresses.
  void Unwatch(const Watch& watch) noexcept;

  /// The addresses in use now; empty when there are none (yet).
  std::vector<IpAddress> Addresses(EntryId entry) const;

  /// Of an adapter: SourceAddresses::interface_index. Of a zone: its number, 0
  /// when it is not known.
  std::uint32_t InterfaceIndex(EntryId entry) const;

  /// Whether a lookup has told yet what there is, be it nothing.
  bool IsKnown(EntryId entry) const;

  /// Increases whenever any entry's addresses or number change: values derived
  /// from them stay valid while this stays equal. Never 0. Wait-free.
  std::uint64_t generation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace echo_exporter
