#pragma once

#include <optional>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// One end of a pair: a fixed address, an entry of the address book, or an
/// address in the zone that is an entry. Both absent: of sources, the system
/// chooses; a destination has no address.
struct Endpoint {
  std::optional<IpAddress> address;
  std::optional<AddressBook::EntryId> entry;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// An end, and the watch that its entry needs, to be undone by
/// AddressBook::Unwatch().
struct WatchedEndpoint {
  Endpoint endpoint = {};
  std::optional<AddressBook::Watch> watch = std::nullopt;
};

/// The end that a configuration says, without SourceConfig::other_address.
/// Throws std::bad_alloc, and watches nothing then.
WatchedEndpoint WatchSource(const SourceConfig& source, AddressBook& book);
/// The same; a name is looked up again after `refresh`.
WatchedEndpoint WatchDestination(const DestinationConfig& destination,
                                 Nanoseconds refresh, AddressBook& book);

/// Its addresses now; empty when there are none (yet).
std::vector<IpAddress> AddressesOf(const Endpoint& endpoint,
                                   const AddressBook& book);

}  // namespace echo_exporter
