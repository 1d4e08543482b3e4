// Implementation notes:
//   a) GetAddrInfoW() and not getaddrinfo(): the latter expects names in the
//      process's code page, but the configuration is UTF-8.
//   b) No AI_ADDRCONFIG: with it, a machine whose network is down could not
//      even resolve its own loopback address. Addresses that cannot be reached
//      come last anyway (RFC 6724).
//   c) SOCK_DGRAM returns every address once, and not once per protocol.
//   d) The source address decides which adapter sends (strong host model), so
//      that its number is of no use but as a zone.
//   e) Users know adapters by their friendly names, which the system compares
//      ignoring case.

#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "echo_exporter/address_book.h"
#include "src/base/text_windows.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

Error NameError(const std::string& name, int code) {
  const bool unknown = code == WSAHOST_NOT_FOUND || code == WSANO_DATA;
  return {
      unknown ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
      "resolving " + name + ": " + SystemErrorText(static_cast<DWORD>(code))};
}

std::optional<IpAddress> FromSocketAddress(const sockaddr* address) {
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

// All adapters and their unicast addresses; `first` points into `storage`.
struct AdapterList {
  std::vector<std::max_align_t> storage;
  const IP_ADAPTER_ADDRESSES* first = nullptr;
};

// Returns the system's error code, 0 for success.
ULONG ReadAdapters(AdapterList* list) {
  constexpr ULONG kFlags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST |
                           GAA_FLAG_SKIP_DNS_SERVER;
  constexpr int kAttempts = 5;  // adapters may appear between two calls
  ULONG bytes = 16 * 1024;
  ULONG code = ERROR_BUFFER_OVERFLOW;
  for (int i = 0; i < kAttempts && code == ERROR_BUFFER_OVERFLOW; ++i) {
    list->storage.resize(bytes / sizeof(std::max_align_t) + 1);
    auto* first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(list->storage.data());
    code = GetAdaptersAddresses(AF_UNSPEC, kFlags, nullptr, first, &bytes);
    if (code == ERROR_SUCCESS) list->first = first;
  }
  // Having no adapter at all is not an error here: the name is not found.
  return code == ERROR_NO_DATA ? ERROR_SUCCESS : code;
}

const IP_ADAPTER_ADDRESSES* FindAdapter(const AdapterList& list,
                                        const std::wstring& friendly_name) {
  for (const auto* adapter = list.first; adapter; adapter = adapter->Next) {
    if (CompareStringOrdinal(adapter->FriendlyName, -1, friendly_name.c_str(),
                             -1, TRUE) == CSTR_EQUAL) {
      return adapter;
    }
  }
  return nullptr;
}

std::vector<SourceCandidate> Candidates(const IP_ADAPTER_ADDRESSES& adapter) {
  std::vector<SourceCandidate> candidates;
  if (adapter.OperStatus != IfOperStatusUp) return candidates;
  for (const auto* unicast = adapter.FirstUnicastAddress; unicast;
       unicast = unicast->Next) {
    // Neither tentative, duplicate, deprecated nor expired.
    if (unicast->DadState != IpDadStatePreferred) continue;
    const auto address = FromSocketAddress(unicast->Address.lpSockaddr);
    if (!address) continue;
    candidates.push_back(
        {.address = *address,
         .temporary = unicast->SuffixOrigin == IpSuffixOriginRandom});
  }
  return candidates;
}

// Points into `list`.
Result<const IP_ADAPTER_ADDRESSES*> ReadAdapter(
    const std::string& interface_name, AdapterList* list) {
  const std::string what = "reading interface " + interface_name + ": ";
  if (const ULONG code = ReadAdapters(list); code != ERROR_SUCCESS) {
    return Error{ErrorCode::kExhausted, what + SystemErrorText(code)};
  }
  const std::optional<std::wstring> wide = ToValidWide(interface_name);
  const auto* adapter = wide ? FindAdapter(*list, *wide) : nullptr;
  if (adapter == nullptr) {
    return Error{ErrorCode::kNotFound, what + "no interface has this name"};
  }
  return adapter;
}

class WindowsAddressLookup final : public AddressLookup {
 public:
  // When it fails, every lookup fails with an error. It ends with the process.
  WindowsAddressLookup() {
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
  }

  Result<std::vector<IpAddress>> ResolveName(const std::string& name) override {
    const std::optional<std::wstring> wide = ToValidWide(name);
    // An empty name would stand for this machine.
    if (!wide || wide->empty()) return NameError(name, WSAHOST_NOT_FOUND);
    ADDRINFOW hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    ADDRINFOW* list = nullptr;
    const int code = GetAddrInfoW(wide->c_str(), nullptr, &hints, &list);
    if (code != 0) return NameError(name, code);
    const std::unique_ptr<ADDRINFOW, decltype(&FreeAddrInfoW)> owner(
        list, &FreeAddrInfoW);
    std::vector<IpAddress> addresses;
    for (const ADDRINFOW* entry = list; entry; entry = entry->ai_next) {
      const auto address = FromSocketAddress(entry->ai_addr);
      if (address) AppendOnce(*address, &addresses);
    }
    if (addresses.empty()) return NameError(name, WSANO_DATA);
    return addresses;
  }

  Result<SourceAddresses> InterfaceAddresses(
      const std::string& interface_name) override {
    AdapterList list;
    const auto adapter = ReadAdapter(interface_name, &list);
    if (!adapter.ok()) return adapter.error();
    SourceAddresses sources{.addresses =
                                OrderSources(Candidates(*adapter.value()))};
    if (sources.addresses.empty()) {
      return Error{ErrorCode::kUnavailable,
                   "reading interface " + interface_name +
                       ": it is down or has no usable address"};
    }
    return sources;
  }

  Result<std::vector<IpAddress>> OwnAddresses() override {
    AdapterList list;
    if (const ULONG code = ReadAdapters(&list); code != ERROR_SUCCESS) {
      return Error{ErrorCode::kExhausted,
                   "reading interfaces: " + SystemErrorText(code)};
    }
    std::vector<IpAddress> addresses;
    for (const auto* adapter = list.first; adapter; adapter = adapter->Next) {
      for (const auto* unicast = adapter->FirstUnicastAddress; unicast;
           unicast = unicast->Next) {
        const auto address = FromSocketAddress(unicast->Address.lpSockaddr);
        if (address) AppendOnce(*address, &addresses);
      }
    }
    return addresses;
  }

  Result<std::uint32_t> InterfaceZone(
      const std::string& interface_name) override {
    AdapterList list;
    const auto adapter = ReadAdapter(interface_name, &list);
    if (!adapter.ok()) return adapter.error();
    const std::uint32_t zone = adapter.value()->Ipv6IfIndex;
    if (zone != 0) return zone;
    return Error{ErrorCode::kUnavailable,
                 "reading interface " + interface_name + ": it has no IPv6"};
  }
};

}  // namespace

std::unique_ptr<AddressLookup> CreateAddressLookup() {
  return std::make_unique<WindowsAddressLookup>();
}

}  // namespace echo_exporter
