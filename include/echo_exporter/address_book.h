#ifndef ECHO_EXPORTER_ADDRESS_BOOK_H_
#define ECHO_EXPORTER_ADDRESS_BOOK_H_

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

/// Asks the operating system for addresses.
///
/// Implementations are thread-safe; the calls may block for as long as the
/// system's resolver does.
class AddressLookup {
 public:
  virtual ~AddressLookup() = default;

  /// Addresses of a host name in the system's order of preference (RFC 6724);
  /// never empty when ok.
  virtual Result<std::vector<IpAddress>> ResolveName(
      const std::string& name) = 0;

  /// Addresses of an adapter by its friendly name, usable as a source now,
  /// the stable ones first; never empty when ok.
  virtual Result<std::vector<IpAddress>> InterfaceAddresses(
      const std::string& interface_name) = 0;

  /// The number that EchoRequest::source_interface wants of an adapter; 0 when
  /// there is none of that name, or when the source address alone decides.
  virtual std::uint32_t InterfaceIndex(const std::string& interface_name) = 0;
};

/// The lookup of this operating system.
std::unique_ptr<AddressLookup> CreateAddressLookup();

/// Where echo requests may come from.
struct SourceAddresses {
  std::vector<IpAddress> addresses;  ///< the first that can be used is
  /// As EchoRequest::source_interface, of the adapter that has them.
  std::uint32_t interface_index = 0;
};

/// The addresses one echo request goes between.
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
  kVersionMismatch,        ///< no address of the wanted or of a common version
};

using RouteChoice = std::variant<Route, NoRoute>;

/// Picks the first destination that is allowed by `preference`, that the
/// transport can send to, and that some source can reach. `sources` absent
/// means "auto". Pure.
RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference, bool ipv4_supported,
                        bool ipv6_supported);

/// Keeps the addresses of names and adapters fresh in the background. The
/// last good addresses of a name stay in use when a refresh fails; those of
/// an adapter vanish with it.
///
/// Thread-safe.
class AddressBook {
 public:
  /// Names one watched entry while it is watched; never used again for
  /// another.
  using EntryId = std::uint32_t;

  /// One call of WatchName() or WatchInterface(), to be undone by Unwatch().
  struct Watch {
    EntryId entry = 0;
    Nanoseconds refresh{};
  };

  struct Options {
    /// How often adapters are read; an adapter's new address is used at most
    /// this much later.
    Nanoseconds interface_refresh = std::chrono::seconds(5);
    /// A name that failed is tried again after this, or after its own refresh
    /// time when that is shorter.
    Nanoseconds retry = std::chrono::seconds(5);
    /// Lookups at once: one dead name server must not hold up the rest.
    int threads = 4;
  };

  /// Runs on a thread of the book, once per failed lookup; must be short and
  /// must not call the book.
  using FailureCallback =
      std::function<void(const std::string& name, const Error& error)>;

  /// `lookup` must outlive the book.
  AddressBook(AddressLookup& lookup, const Options& options,
              FailureCallback on_failure);
  /// Stops the threads; waits for lookups under way.
  ~AddressBook();
  AddressBook(const AddressBook&) = delete;
  AddressBook& operator=(const AddressBook&) = delete;

  /// Watches a host name. The same name watched again gives the same entry,
  /// refreshed as often as the most eager asks. The first lookup is due now.
  Watch WatchName(const std::string& name, Nanoseconds refresh);
  Watch WatchInterface(const std::string& interface_name);

  /// Undoes one watching. An entry that nobody watches any more is forgotten,
  /// and has no addresses.
  void Unwatch(const Watch& watch);

  /// The addresses in use now; empty when there are none (yet).
  std::vector<IpAddress> Addresses(EntryId entry) const;

  /// Of an adapter; as AddressLookup::InterfaceIndex() last said.
  std::uint32_t InterfaceIndex(EntryId entry) const;

  /// Grows whenever any entry's addresses or number change: what was derived
  /// from them stays true while this stays equal. Never 0. Wait-free.
  std::uint64_t generation() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_ADDRESS_BOOK_H_
