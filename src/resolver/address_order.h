#ifndef ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_
#define ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_

#include <cstdint>
#include <vector>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// True for IPv6 addresses that are valid on one link only (RFC 4291 section
/// 2.5.6).
bool IsLinkLocal(const IpAddress& address);

/// The address in the 16 bytes at `bytes`, with a scope of the operating
/// system. The scope is kept only where it is significant, so that equal
/// addresses compare equal.
IpAddress V6FromBytes(const std::uint8_t* bytes, std::uint32_t scope_id);

/// Appends `address` unless `addresses` contains it already.
void AppendOnce(const IpAddress& address, std::vector<IpAddress>* addresses);

/// An address of an adapter that can be used as a source.
struct SourceCandidate {
  IpAddress address;
  bool temporary =
      false;  ///< a privacy address (RFC 8981), which changes daily
};

/// The candidates, each once: those with the widest scope first, among them the
/// stable ones first, otherwise in the order of `candidates`.
std::vector<IpAddress> OrderSources(std::vector<SourceCandidate> candidates);

/// The addresses to use when a new lookup of a name returns `answer` instead of
/// `old`: those of `answer`, of each IP version first the ones that were known,
/// in their order, so that an address stays in use while the name has it,
/// although name servers rotate their answers or give a part of them. Which
/// version comes where is the system's choice.
std::vector<IpAddress> KeepOrder(const std::vector<IpAddress>& old,
                                 std::vector<IpAddress> answer);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_
