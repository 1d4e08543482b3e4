#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace echo_exporter {

enum class IpVersion : std::uint8_t { kV4 = 4, kV6 = 6 };

/// An IPv4 or IPv6 address. The scope (zone) number matters for link-local
/// IPv6 addresses only and is 0 otherwise.
///
/// Immutable after construction.
class IpAddress {
 public:
  /// 0.0.0.0.
  IpAddress() = default;

  static IpAddress V4(const std::array<std::uint8_t, 4>& bytes);
  static IpAddress V6(const std::array<std::uint8_t, 16>& bytes,
                      std::uint32_t scope_id = 0);

  /// Parses "192.0.2.1", "2001:db8::1" or "fe80::1%3" (a numeric zone), the
  /// forms of RFC 4291 section 2.2 and RFC 4007 section 11. Absent for anything
  /// else, including octal or shortened IPv4, brackets and surrounding space.
  static std::optional<IpAddress> Parse(std::string_view text);

  IpVersion version() const { return version_; }
  bool is_v4() const { return version_ == IpVersion::kV4; }

  /// Network byte order; an IPv4 address is in the first four bytes and the
  /// rest is zero.
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::uint32_t scope_id() const { return scope_id_; }

  /// True for 0.0.0.0 and ::.
  bool IsUnspecified() const;

  /// True for 127.0.0.0/8 and ::1.
  bool IsLoopback() const;

  /// False for what no single host can have: unspecified and multicast
  /// addresses and 255.255.255.255, also when mapped into IPv6.
  bool IsHost() const;

  /// The canonical text of RFC 5952, with "%zone" when there is a scope.
  std::string ToString() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpVersion version_ = IpVersion::kV4;
  std::array<std::uint8_t, 16> bytes_{};
  std::uint32_t scope_id_ = 0;
};

/// Whether both may be on the same link: their zones are equal, or one has no
/// zone.
inline bool ZonesAgree(const IpAddress& a, const IpAddress& b) {
  return a.scope_id() == b.scope_id() || a.scope_id() == 0 || b.scope_id() == 0;
}

/// `address` without its zone; the IPv4 address that an IPv6 address such as
/// ::ffff:192.0.2.1 stands for (RFC 4291 section 2.5.5.2). Pure.
IpAddress WithoutZoneOrMapping(const IpAddress& address);

/// The unit that limits per client apply to: an IPv4 address, or an IPv6
/// network of length 64, since one host may use all addresses of such a
/// network.
IpAddress ClientNetwork(const IpAddress& client);

/// An address whose zone may be named by its adapter, as in "fe80::1%eth0" or
/// "fe80::1%Ethernet 2".
struct ZonedAddress {
  IpAddress address;  ///< without a zone if `zone` is not empty
  std::string zone;   ///< the name of the adapter; empty: none is named

  /// Parses what IpAddress::Parse() does, and adapter names as zones: any text
  /// but a number, without control characters.
  static std::optional<ZonedAddress> Parse(std::string_view text);

  std::string ToString() const {
    return zone.empty() ? address.ToString() : address.ToString() + '%' + zone;
  }
  friend bool operator==(const ZonedAddress&, const ZonedAddress&) = default;
};

/// A block of addresses, as in "10.0.0.0/29".
///
/// Immutable after construction.
class IpPrefix {
 public:
  /// Parses "address/length". The host bits of the address must be zero:
  /// "10.0.0.1/29" is rejected, because it is usually a mistake.
  static std::optional<IpPrefix> Parse(std::string_view text);

  const IpAddress& network() const { return network_; }
  int length() const { return length_; }

  bool Contains(const IpAddress& address) const;

  /// The number of hosts for HostAt(); saturates at 2^64-1. For IPv4, the
  /// network and broadcast addresses are not hosts (except in /31 and /32,
  /// RFC 3021); for IPv6, the subnet-router anycast address is not one (except
  /// in /127 and /128, RFC 6164).
  std::uint64_t HostCount() const;

  /// The host with that number, counted from 0; requires n < HostCount().
  IpAddress HostAt(std::uint64_t n) const;

  std::string ToString() const;

 private:
  IpPrefix(const IpAddress& network, int length)
      : network_(network), length_(length) {}

  IpAddress network_;
  int length_ = 0;
};

}  // namespace echo_exporter
