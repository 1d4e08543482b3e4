#include "src/engine/endpoint.h"

#include <cstdint>
#include <string>

namespace echo_exporter {
namespace {

WatchedEndpoint Watched(const AddressBook::Watch& watch) {
  return {.endpoint = {.address = {}, .entry = watch.entry}, .watch = watch};
}

WatchedEndpoint AtAddress(const IpAddress& address, const std::string& zone,
                          bool is_source, AddressBook& book) {
  WatchedEndpoint end;
  if (!zone.empty()) end = Watched(book.WatchZone(zone, is_source));
  end.endpoint.address = address;
  return end;
}

}  // namespace

WatchedEndpoint WatchSource(const SourceConfig& source, AddressBook& book) {
  switch (source.kind) {
    case SourceConfig::Kind::kAuto:
      return {};
    case SourceConfig::Kind::kAddress:
      return AtAddress(source.address, source.zone, /*is_source=*/true, book);
    case SourceConfig::Kind::kInterface:
      return Watched(book.WatchInterface(source.interface_name));
  }
  return {};
}

WatchedEndpoint WatchDestination(const DestinationConfig& destination,
                                 Nanoseconds refresh, AddressBook& book) {
  if (destination.address) {
    return AtAddress(*destination.address, destination.zone,
                     /*is_source=*/false, book);
  }
  return Watched(book.WatchName(destination.HostName(), refresh));
}

std::vector<IpAddress> AddressesOf(const Endpoint& endpoint,
                                   const AddressBook& book) {
  if (!endpoint.entry) {
    return endpoint.address ? std::vector{*endpoint.address}
                            : std::vector<IpAddress>();
  }
  if (!endpoint.address) return book.Addresses(*endpoint.entry);
  const std::uint32_t zone = book.InterfaceIndex(*endpoint.entry);
  if (zone == 0) return {};
  return {IpAddress::V6(endpoint.address->bytes(), zone)};
}

}  // namespace echo_exporter
