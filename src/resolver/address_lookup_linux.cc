// Implementation notes:
//   a) getaddrinfo() without AI_ADDRCONFIG: with it, a machine whose network is
//      down could not even resolve its own loopback address. Addresses that
//      cannot be reached come last anyway (RFC 6724).
//   b) SOCK_DGRAM returns every address once, and not once per protocol.
//   c) getifaddrs() does not report whether an IPv6 address is usable or
//      temporary; /proc/net/if_inet6 does, with the IFA_F_* flags.

#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "echo_exporter/address_book.h"
#include "src/base/socket_address_posix.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

Error NameError(const std::string& name, int code) {
  const int saved = errno;
  const std::string cause = code == EAI_SYSTEM
                                ? std::generic_category().message(saved)
                                : gai_strerror(code);
  return {code == EAI_NONAME ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
          "resolving " + name + ": " + cause + " (" +
              std::to_string(code == EAI_SYSTEM ? saved : code) + ")"};
}

// The flags of this machine's IPv6 addresses. Scopes are not part of the key.
std::map<std::string, unsigned> ReadV6Flags() {
  std::map<std::string, unsigned> flags_of;
  std::ifstream file("/proc/net/if_inet6");
  std::string address, index, prefix, scope, flags, name;
  while (file >> address >> index >> prefix >> scope >> flags >> name) {
    flags_of[name + " " + address] =
        static_cast<unsigned>(std::stoul(flags, nullptr, 16));
  }
  return flags_of;
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

  Result<std::vector<IpAddress>> InterfaceAddresses(
      const std::string& interface_name) override {
    const std::string what = "reading interface " + interface_name + ": ";
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) {
      const int code = errno;
      return Error{ErrorCode::kUnavailable,
                   what + std::generic_category().message(code) + " (" +
                       std::to_string(code) + ")"};
    }
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list,
                                                                 &freeifaddrs);
    std::vector<IpAddress> addresses =
        OrderSources(Candidates(list, interface_name));
    if (!addresses.empty()) return addresses;
    if (if_nametoindex(interface_name.c_str()) == 0) {
      return Error{ErrorCode::kNotFound, what + "no interface has this name"};
    }
    return Error{ErrorCode::kUnavailable,
                 what + "it is down or has no usable address"};
  }

  std::uint32_t InterfaceIndex(const std::string& interface_name) override {
    return if_nametoindex(interface_name.c_str());
  }

 private:
  static std::vector<SourceCandidate> Candidates(
      const ifaddrs* list, const std::string& interface_name) {
    constexpr unsigned kUnusable =
        IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
    constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
    std::map<std::string, unsigned> flags_of = ReadV6Flags();
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
