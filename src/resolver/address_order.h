#pragma once

#include <vector>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

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
