#include "src/base/socket_address_posix.h"

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace echo_exporter {

std::optional<IpAddress> FromSocketAddress(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::V4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    return IpAddress::V6(std::to_array(v6.sin6_addr.s6_addr), v6.sin6_scope_id);
  }
  return std::nullopt;
}

socklen_t ToSocketAddress(const IpAddress& address, sockaddr_storage* storage) {
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof(v4.sin_addr));
    std::memcpy(storage, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof(v6.sin6_addr));
  v6.sin6_scope_id = address.scope_id();
  std::memcpy(storage, &v6, sizeof(v6));
  return sizeof(v6);
}

}  // namespace echo_exporter
