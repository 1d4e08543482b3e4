#ifndef ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_
#define ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_

#include <cstdint>
#include <vector>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// True for IPv6 addresses that mean something on one link only (RFC 4291
/// section 2.5.6).
bool IsLinkLocal(const IpAddress& address);

/// The address in 16 bytes at `bytes`, as the operating system gives it: the
/// scope is kept where it matters and dropped elsewhere, so that equal
/// addresses compare equal.
IpAddress V6FromBytes(const std::uint8_t* bytes, std::uint32_t scope_id);

/// Appends `address` unless it is there already.
void AppendOnce(const IpAddress& address, std::vector<IpAddress>* addresses);

/// An address of an adapter that can be sent from.
struct SourceCandidate {
  IpAddress address;
  bool temporary = false;  ///< a privacy address (RFC 8981), gone tomorrow
};

/// The candidates, each once: those that reach furthest first, then the stable
/// ones, otherwise in the order given.
std::vector<IpAddress> OrderSources(std::vector<SourceCandidate> candidates);

/// What to use when a name's addresses `old` are followed by `answer`: `old`
/// when the answer only has it rotated, as name servers do to share load, so
/// that one address stays in use; but `answer` when the system now prefers the
/// other IP version.
std::vector<IpAddress> KeepOrder(const std::vector<IpAddress>& old,
                                 std::vector<IpAddress> answer);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RESOLVER_ADDRESS_ORDER_H_
