// Implementation notes:
//   a) getaddrinfo() without AI_ADDRCONFIG: with it, a machine whose network is
//      down could not even resolve its own loopback address. Addresses that
//      cannot be reached come last anyway (RFC 6724).
//   b) SOCK_DGRAM returns every address once, and not once per protocol.
//   c) getifaddrs() does not report whether an IPv6 address is usable or
//      temporary; /proc/net/if_inet6 does, with the IFA_F_* flags. Without
//      IPv6, there is no such file.
//   d) getifaddrs() has an entry of the family AF_PACKET for each adapter, with
//      its number. if_nametoindex() needs a descriptor of its own, and does not
//      say whether it was that which was missing.

#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netdb.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "echo_exporter/address_book.h"
#include "src/base/socket_address_posix.h"
#include "src/base/unique_fd_posix.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

Error NameError(const std::string& name, int code) {
  const std::string cause =
      code == EAI_SYSTEM
          ? ErrnoText(errno)
          : gai_strerror(code) + (" (" + std::to_string(code) + ")");
  return {code == EAI_NONAME ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
          "resolving " + name + ": " + cause};
}

using AdapterList = std::unique_ptr<ifaddrs, decltype(&freeifaddrs)>;

Error UnreadError(const std::string& interface_name, int code) {
  return {ErrorCode::kExhausted,
          "reading interface " + interface_name + ": " + ErrnoText(code)};
}

Error MissingError(const std::string& interface_name) {
  return {ErrorCode::kNotFound, "reading interface " + interface_name +
                                    ": no interface has this name"};
}

Result<AdapterList> ReadAdapters(const std::string& interface_name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return UnreadError(interface_name, errno);
  return AdapterList(list, &freeifaddrs);
}

// 0 when there is no adapter of that name.
std::uint32_t NumberOf(const ifaddrs* list, const std::string& interface_name) {
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (interface_name != entry->ifa_name || entry->ifa_addr == nullptr ||
        entry->ifa_addr->sa_family != AF_PACKET) {
      continue;
    }
    sockaddr_ll link;
    std::memcpy(&link, entry->ifa_addr, sizeof(link));
    return static_cast<std::uint32_t>(link.sll_ifindex);
  }
  return 0;
}

// The flags of this machine's IPv6 addresses. Scopes are not part of the key.
// Returns the system's error code, 0 for success.
int ReadV6Flags(std::map<std::string, unsigned>* flags_of) {
  errno = 0;
  std::ifstream file("/proc/net/if_inet6");
  if (!file && errno != ENOENT) return errno == 0 ? EIO : errno;
  std::string address, index, prefix, scope, flags, name;
  while (file >> address >> index >> prefix >> scope >> flags >> name) {
    (*flags_of)[name + " " + address] =
        static_cast<unsigned>(std::stoul(flags, nullptr, 16));
  }
  return 0;
}

// In the format of /proc/net/if_inet6.
std::string HexDigits(const IpAddress& address) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : address.bytes()) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

class LinuxAddressLookup final : public AddressLookup {
 public:
  Result<std::vector<IpAddress>> ResolveName(const std::string& name) override {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int code = getaddrinfo(name.c_str(), nullptr, &hints, &list);
    if (code != 0) return NameError(name, code);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(
        list, &freeaddrinfo);
    std::vector<IpAddress> addresses;
    for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
      const auto address = FromSocketAddress(entry->ai_addr);
      if (address) AppendOnce(*address, &addresses);
    }
    if (addresses.empty()) return NameError(name, EAI_NONAME);
    return addresses;
  }

  Result<SourceAddresses> InterfaceAddresses(
      const std::string& interface_name) override {
    const auto list = ReadAdapters(interface_name);
    if (!list.ok()) return list.error();
    std::map<std::string, unsigned> flags_of;
    if (const int code = ReadV6Flags(&flags_of); code != 0) {
      return UnreadError(interface_name, code);
    }
    const ifaddrs* const first = list.value().get();
    SourceAddresses sources{
        .addresses = OrderSources(Candidates(first, interface_name, flags_of)),
        .interface_index = NumberOf(first, interface_name)};
    if (!sources.addresses.empty()) return sources;
    if (sources.interface_index == 0) return MissingError(interface_name);
    return Error{ErrorCode::kUnavailable,
                 "reading interface " + interface_name +
                     ": it is down or has no usable address"};
  }

  Result<std::vector<IpAddress>> OwnAddresses() override {
    const auto list = ReadAdapters("*");
    if (!list.ok()) return list.error();
    std::vector<IpAddress> addresses;
    for (const ifaddrs* entry = list.value().get(); entry;
         entry = entry->ifa_next) {
      const auto address = FromSocketAddress(entry->ifa_addr);
      if (address) AppendOnce(*address, &addresses);
    }
    return addresses;
  }

  Result<std::uint32_t> InterfaceZone(
      const std::string& interface_name) override {
    const auto list = ReadAdapters(interface_name);
    if (!list.ok()) return list.error();
    const std::uint32_t zone = NumberOf(list.value().get(), interface_name);
    if (zone == 0) return MissingError(interface_name);
    return zone;
  }

 private:
  static std::vector<SourceCandidate> Candidates(
      const ifaddrs* list, const std::string& interface_name,
      std::map<std::string, unsigned>& flags_of) {
    constexpr unsigned kUnusable =
        IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
    constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
    std::vector<SourceCandidate> candidates;
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
      if (interface_name != entry->ifa_name) continue;
      if ((entry->ifa_flags & kUp) != kUp) continue;
      const auto address = FromSocketAddress(entry->ifa_addr);
      if (!address) continue;
      const unsigned flags =
          address->is_v4()
              ? 0
              : flags_of[interface_name + " " + HexDigits(*address)];
      if (flags & kUnusable) continue;
      candidates.push_back(
          {.address = *address, .temporary = (flags & IFA_F_TEMPORARY) != 0});
    }
    return candidates;
  }
};

}  // namespace

std::unique_ptr<AddressLookup> CreateAddressLookup() {
  return std::make_unique<LinuxAddressLookup>();
}

}  // namespace echo_exporter
