#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_PACKET_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

inline constexpr std::size_t kIcmpHeaderSize = 8;
inline constexpr std::size_t kMaxEchoPayload = 65500;
inline constexpr std::size_t kCookieSize = 8;

/// An ICMP echo message, or the beginning of one.
struct EchoMessage {
  std::uint8_t type = 0;
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  std::span<const std::uint8_t> payload;  ///< into the bytes it was read from
};

/// Writes an echo request into `packet`, which must have room for the header
/// and the payload. The payload is `cookie`, as much of it as fits, and a
/// pattern that is always the same. The checksum is for IPv4; that of ICMPv6
/// covers addresses and is the kernel's to fill in (RFC 4443 section 2.3).
/// Returns the packet's size.
std::size_t WriteEchoRequest(IpVersion version, std::uint16_t id,
                             std::uint16_t sequence, std::uint64_t cookie,
                             std::uint16_t payload_size, std::uint8_t* packet);

/// Absent when `bytes` is shorter than an ICMP header.
std::optional<EchoMessage> ReadEchoMessage(std::span<const std::uint8_t> bytes);

bool IsEchoReply(IpVersion version, const EchoMessage& message);

/// Whether `payload` is the whole payload that WriteEchoRequest() made.
bool IsPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                 std::span<const std::uint8_t> payload);

/// Whether `payload` begins with what a packet with this cookie begins with,
/// as far as it goes: an ICMP error may quote as little as nothing of it.
bool MayBeginPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                       std::span<const std::uint8_t> payload);

/// The Internet checksum of RFC 1071 in network byte order; 0 over a message
/// that carries its own.
std::uint16_t InternetChecksum(std::span<const std::uint8_t> bytes);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_PACKET_H_
