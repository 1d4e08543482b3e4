#include "src/resolver/address_order.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace echo_exporter {

bool IsLinkLocal(const IpAddress& address) {
  return !address.is_v4() && address.bytes()[0] == 0xfe &&
         (address.bytes()[1] & 0xc0) == 0x80;
}

IpAddress V6FromBytes(const std::uint8_t* bytes, std::uint32_t scope_id) {
  std::array<std::uint8_t, 16> copy;
  std::copy_n(bytes, copy.size(), copy.begin());
  const IpAddress address = IpAddress::V6(copy);
  return IsLinkLocal(address) ? IpAddress::V6(copy, scope_id) : address;
}

void AppendOnce(const IpAddress& address, std::vector<IpAddress>* addresses) {
  if (std::ranges::find(*addresses, address) == addresses->end()) {
    addresses->push_back(address);
  }
}

std::vector<IpAddress> OrderSources(std::vector<SourceCandidate> candidates) {
  const auto rank = [](const SourceCandidate& candidate) {
    return std::pair(IsLinkLocal(candidate.address), candidate.temporary);
  };
  std::ranges::stable_sort(candidates, {}, rank);
  std::vector<IpAddress> addresses;
  for (const SourceCandidate& candidate : candidates) {
    AppendOnce(candidate.address, &addresses);
  }
  return addresses;
}

std::vector<IpAddress> KeepOrder(const std::vector<IpAddress>& old,
                                 std::vector<IpAddress> answer) {
  const auto rank = [&old](const IpAddress& address) {
    return std::ranges::find(old, address) - old.begin();
  };
  for (const IpVersion version : {IpVersion::kV4, IpVersion::kV6}) {
    std::vector<IpAddress> kept;
    std::ranges::copy_if(answer, std::back_inserter(kept),
                         [version](const IpAddress& address) {
                           return address.version() == version;
                         });
    std::ranges::stable_sort(kept, {}, rank);
    auto next = kept.begin();
    for (IpAddress& address : answer) {
      if (address.version() == version) address = *next++;
    }
  }
  return answer;
}

}  // namespace echo_exporter
