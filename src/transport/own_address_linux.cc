#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "src/base/socket_address_posix.h"
#include "src/base/unique_fd_posix.h"
#include "src/transport/icmp_socket_linux.h"

namespace echo_exporter {
namespace {

std::optional<bool> IsOnAnAdapter(const IpAddress& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list,
                                                               freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const auto own = FromSocketAddress(entry->ifa_addr);
    if (own && own->version() == address.version() &&
        own->bytes() == address.bytes()) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<bool> AllowsForeignSources(IpVersion version) {
  const UniqueFd file(open(version == IpVersion::kV4
                               ? "/proc/sys/net/ipv4/ip_nonlocal_bind"
                               : "/proc/sys/net/ipv6/ip_nonlocal_bind",
                           O_RDONLY | O_CLOEXEC));
  if (!file && (errno == EMFILE || errno == ENFILE)) return std::nullopt;
  char value = '0';  // also where there is no such file
  return read(file.get(), &value, 1) == 1 && value == '1';
}

std::optional<bool> IsOwnAddress(const IpAddress& address) {
  sockaddr_storage storage;
  const socklen_t size = ToSocketAddress(address, &storage);
  // UDP: any user may bind such a socket to a free port of the host's
  // addresses.
  const UniqueFd probe(
      socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!probe) return std::nullopt;
  if (bind(probe.get(), reinterpret_cast<const sockaddr*>(&storage), size) !=
      0) {
    return errno != EADDRNOTAVAIL;
  }
  if (address.is_v4() && address.IsLoopback()) return true;
  const auto foreign_allowed = AllowsForeignSources(address.version());
  if (!foreign_allowed) return std::nullopt;
  return *foreign_allowed ? IsOnAnAdapter(address) : true;
}

}  // namespace echo_exporter
