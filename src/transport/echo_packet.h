#pragma once

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
  std::span<const std::uint8_t> payload;  ///< part of the bytes that were read
};

/// Writes an echo request into `packet`, which must have room for the header
/// and the payload. The payload is `cookie`, as far as it fits, followed by a
/// constant pattern. The checksum is for IPv4; that of ICMPv6 covers addresses
/// and is filled in by the kernel (RFC 4443 section 2.3). Returns the packet's
/// size.
std::size_t WriteEchoRequest(IpVersion version, std::uint16_t id,
                             std::uint16_t sequence, std::uint64_t cookie,
                             std::uint16_t payload_size, std::uint8_t* packet);

/// Absent when `bytes` is shorter than an ICMP header.
std::optional<EchoMessage> ReadEchoMessage(std::span<const std::uint8_t> bytes);

bool IsEchoReply(IpVersion version, const EchoMessage& message);

/// Whether `payload` is the whole payload that WriteEchoRequest() writes.
bool IsPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                 std::span<const std::uint8_t> payload);

/// Whether `payload` may be the beginning of the payload with this cookie: an
/// ICMP error may quote only a part of it, or nothing.
bool MayBeginPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                       std::span<const std::uint8_t> payload);

/// The Internet checksum of RFC 1071 in network byte order; 0 for a message
/// that contains its own checksum.
std::uint16_t InternetChecksum(std::span<const std::uint8_t> bytes);

}  // namespace echo_exporter
