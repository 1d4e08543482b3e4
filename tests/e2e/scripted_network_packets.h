/// The packets of the scripted network: ICMP and ICMPv6 echo requests parsed,
/// replies and errors built. Pure: no OS header, no clock, no I/O.

#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace echo_exporter::scripted_network {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

/// An IPv4 or IPv6 address in network byte order.
struct Address {
  bool is_ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4: the first 4, the rest 0.

  auto operator<=>(const Address&) const = default;
};

/// An ICMP or ICMPv6 echo request as it was on the wire. A view: `packet` and
/// `icmp` belong to whoever read them.
struct EchoRequest {
  Address source;
  Address destination;
  std::uint8_t ttl = 0;       ///< IPv6: the hop limit.
  std::uint8_t tos = 0;       ///< IPv6: the traffic class.
  bool dont_fragment = true;  ///< IPv6: always true, no router may fragment.
  ByteSpan packet;            ///< The datagram from its IP header on.
  ByteSpan icmp;              ///< The part of `packet` from the ICMP header on.

  ByteSpan payload() const { return icmp.subspan(8); }
};

/// An ICMP message and the IP header fields it is sent with.
struct Message {
  Address from;
  Address to;
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;  ///< The second word of the ICMP header.
  Bytes body;
};

/// Returns the echo request in `packet`, or nothing for whatever else: other
/// protocols and types, fragments, IPv6 extension headers, lengths that do not
/// agree, wrong checksums. Bytes after the datagram's own length are left out.
std::optional<EchoRequest> ParseEchoRequest(ByteSpan packet);

/// The datagram of `message`, its lengths and checksums filled in.
Bytes BuildPacket(const Message& message);

/// The reply to `request`: its identifier, sequence number, payload and TOS.
Message EchoReply(const EchoRequest& request);

/// Spoils the ICMP checksum of a datagram that BuildPacket() made.
void SpoilIcmpChecksum(Bytes& packet);

/// As much of the request as an ICMP error may quote (RFC 1812 4.3.2.3: up to
/// 576 bytes in all, RFC 4443 2.4(c): up to 1280).
Bytes QuoteForError(const EchoRequest& request);

/// The big-endian 16-bit number at `at`, which must lie within `bytes`.
inline unsigned Get16(ByteSpan bytes, std::size_t at) {
  return unsigned{bytes[at]} << 8 | bytes[at + 1];
}

}  // namespace echo_exporter::scripted_network
