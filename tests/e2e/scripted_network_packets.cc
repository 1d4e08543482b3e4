#include "scripted_network_packets.h"

#include <algorithm>

namespace echo_exporter::scripted_network {
namespace {

constexpr std::size_t kIpv4HeaderSize = 20;
constexpr std::size_t kIpv6HeaderSize = 40;
constexpr std::size_t kIcmpHeaderSize = 8;
constexpr std::size_t kIpv4ErrorSize = 576;
constexpr std::size_t kIpv6ErrorSize = 1280;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;

void Put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

/// The one's complement checksum of RFC 1071; 0 over a block that holds its
/// own checksum.
unsigned Checksum(ByteSpan bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += Get16(bytes, i);
  if (bytes.size() % 2 != 0) sum += unsigned{bytes.back()} << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

unsigned IcmpChecksum(const Address& a, const Address& b, ByteSpan icmp) {
  if (!a.is_ipv6) return Checksum(icmp);
  std::uint32_t pseudo_header = static_cast<std::uint32_t>(icmp.size());
  pseudo_header += kIcmpv6;
  for (std::size_t i = 0; i < 16; i += 2) {
    pseudo_header += Get16(a.bytes, i) + Get16(b.bytes, i);
  }
  return Checksum(icmp, pseudo_header);
}

Address ToAddress(ByteSpan bytes) {
  Address address{.is_ipv6 = bytes.size() == 16};
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  return address;
}

/// What the IP header says; nothing unless a whole ICMP message follows it.
std::optional<EchoRequest> ParseIpv4(ByteSpan packet) {
  if (packet.size() < kIpv4HeaderSize) return std::nullopt;
  const std::size_t header_size = (packet[0] & 0x0fu) * 4;
  const std::size_t length = Get16(packet, 2);
  const bool is_fragment = (Get16(packet, 6) & 0x3fff) != 0;
  if (header_size < kIpv4HeaderSize || length < header_size ||
      length > packet.size() || is_fragment || packet[9] != kIcmp ||
      Checksum(packet.first(header_size)) != 0) {
    return std::nullopt;
  }
  return EchoRequest{.source = ToAddress(packet.subspan(12, 4)),
                     .destination = ToAddress(packet.subspan(16, 4)),
                     .ttl = packet[8],
                     .tos = packet[1],
                     .dont_fragment = (packet[6] & 0x40) != 0,
                     .packet = packet.first(length),
                     .icmp = packet.first(length).subspan(header_size)};
}

std::optional<EchoRequest> ParseIpv6(ByteSpan packet) {
  if (packet.size() < kIpv6HeaderSize) return std::nullopt;
  const std::size_t length = kIpv6HeaderSize + Get16(packet, 4);
  if (length > packet.size() || packet[6] != kIcmpv6) return std::nullopt;
  return EchoRequest{
      .source = ToAddress(packet.subspan(8, 16)),
      .destination = ToAddress(packet.subspan(24, 16)),
      .ttl = packet[7],
      .tos = static_cast<std::uint8_t>(Get16(packet, 0) >> 4 & 0xff),
      .packet = packet.first(length),
      .icmp = packet.first(length).subspan(kIpv6HeaderSize)};
}

}  // namespace

std::optional<EchoRequest> ParseEchoRequest(ByteSpan packet) {
  if (packet.empty()) return std::nullopt;
  const unsigned version = packet[0] >> 4;
  if (version != 4 && version != 6) return std::nullopt;
  std::optional<EchoRequest> request =
      version == 4 ? ParseIpv4(packet) : ParseIpv6(packet);
  if (!request || request->icmp.size() < kIcmpHeaderSize) return std::nullopt;
  const unsigned echo_request = version == 4 ? 8 : 128;
  if (request->icmp[0] != echo_request || request->icmp[1] != 0 ||
      IcmpChecksum(request->source, request->destination, request->icmp) != 0) {
    return std::nullopt;
  }
  return request;
}

Bytes BuildPacket(const Message& message) {
  const bool is_ipv6 = message.from.is_ipv6;
  const std::size_t at = is_ipv6 ? kIpv6HeaderSize : kIpv4HeaderSize;
  Bytes packet(at + kIcmpHeaderSize + message.body.size());
  packet[at] = message.type;
  packet[at + 1] = message.code;
  Put16(packet, at + 4, message.rest >> 16);
  Put16(packet, at + 6, message.rest & 0xffff);
  std::ranges::copy(message.body, packet.begin() + static_cast<std::ptrdiff_t>(
                                                       at + kIcmpHeaderSize));
  Put16(packet, at + 2,
        IcmpChecksum(message.from, message.to, ByteSpan(packet).subspan(at)));
  if (is_ipv6) {
    packet[0] = static_cast<std::uint8_t>(0x60 | message.tos >> 4);
    packet[1] = static_cast<std::uint8_t>(message.tos << 4);
    Put16(packet, 4, packet.size() - kIpv6HeaderSize);
    packet[6] = kIcmpv6;
    packet[7] = message.ttl;
    std::copy_n(message.from.bytes.begin(), 16, packet.begin() + 8);
    std::copy_n(message.to.bytes.begin(), 16, packet.begin() + 24);
  } else {
    packet[0] = 0x45;
    packet[1] = message.tos;
    Put16(packet, 2, packet.size());
    packet[6] = 0x40;  // Do not fragment: the identification may stay 0.
    packet[8] = message.ttl;
    packet[9] = kIcmp;
    std::copy_n(message.from.bytes.begin(), 4, packet.begin() + 12);
    std::copy_n(message.to.bytes.begin(), 4, packet.begin() + 16);
    Put16(packet, 10, Checksum(ByteSpan(packet).first(kIpv4HeaderSize)));
  }
  return packet;
}

Message EchoReply(const EchoRequest& request) {
  const ByteSpan payload = request.payload();
  return {.from = request.destination,
          .to = request.source,
          .tos = request.tos,
          .type = static_cast<std::uint8_t>(request.source.is_ipv6 ? 129 : 0),
          .rest = Get16(request.icmp, 4) << 16 | Get16(request.icmp, 6),
          .body = Bytes(payload.begin(), payload.end())};
}

void SpoilIcmpChecksum(Bytes& packet) {
  const std::size_t at =
      packet[0] >> 4 == 6 ? kIpv6HeaderSize : kIpv4HeaderSize;
  packet[at + 2] ^= 0xff;
}

Bytes QuoteForError(const EchoRequest& request) {
  const std::size_t room =
      request.source.is_ipv6
          ? kIpv6ErrorSize - kIpv6HeaderSize - kIcmpHeaderSize
          : kIpv4ErrorSize - kIpv4HeaderSize - kIcmpHeaderSize;
  const ByteSpan quote =
      request.packet.first(std::min(room, request.packet.size()));
  return Bytes(quote.begin(), quote.end());
}

}  // namespace echo_exporter::scripted_network
