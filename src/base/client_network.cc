#include "src/base/client_network.h"

#include <algorithm>
#include <cstdint>

namespace echo_exporter {

IpAddress ClientNetwork(const IpAddress& client) {
  if (client.is_v4()) return client;
  auto bytes = client.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::V6(bytes);
}

}  // namespace echo_exporter
