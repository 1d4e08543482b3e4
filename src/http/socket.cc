#include "src/http/socket.h"

#include <algorithm>
#include <array>

namespace echo_exporter {

IpAddress WithoutZoneOrMapping(const IpAddress& address) {
  if (address.is_v4()) return address;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                    0, 0, 0, 0, 0xff, 0xff};
  const auto& bytes = address.bytes();
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    return IpAddress::V4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  return IpAddress::V6(bytes);
}

}  // namespace echo_exporter
