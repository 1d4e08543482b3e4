#include "src/transport/echo_packet.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace echo_exporter {
namespace {

constexpr std::uint8_t kRequestV4 = 8;
constexpr std::uint8_t kReplyV4 = 0;
constexpr std::uint8_t kRequestV6 = 128;
constexpr std::uint8_t kReplyV6 = 129;

// The pattern after the cookie. Neighbouring bytes differ, so that a shift is
// detected.
const std::array<std::uint8_t, kMaxEchoPayload>& Pattern() {
  static const auto pattern = [] {
    std::array<std::uint8_t, kMaxEchoPayload> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(i * 167 + (i >> 8));
    }
    return bytes;
  }();
  return pattern;
}

std::uint16_t ReadUint16(const std::uint8_t* bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

void WriteUint16(std::uint16_t value, std::uint8_t* bytes) {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value);
}

}  // namespace

std::size_t WriteEchoRequest(IpVersion version, std::uint16_t id,
                             std::uint16_t sequence, std::uint64_t cookie,
                             std::uint16_t payload_size, std::uint8_t* packet) {
  packet[0] = version == IpVersion::kV4 ? kRequestV4 : kRequestV6;
  std::memset(packet + 1, 0, 3);
  WriteUint16(id, packet + 4);
  WriteUint16(sequence, packet + 6);
  std::uint8_t* const payload = packet + kIcmpHeaderSize;
  const std::size_t cookie_size =
      std::min<std::size_t>(payload_size, kCookieSize);
  std::memcpy(payload, &cookie, cookie_size);
  std::memcpy(payload + cookie_size, Pattern().data() + cookie_size,
              payload_size - cookie_size);
  const std::size_t size = kIcmpHeaderSize + payload_size;
  if (version == IpVersion::kV4) {
    const std::uint16_t checksum = InternetChecksum({packet, size});
    std::memcpy(packet + 2, &checksum, sizeof(checksum));
  }
  return size;
}

std::optional<EchoMessage> ReadEchoMessage(
    std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kIcmpHeaderSize) return std::nullopt;
  return EchoMessage{.type = bytes[0],
                     .id = ReadUint16(&bytes[4]),
                     .sequence = ReadUint16(&bytes[6]),
                     .payload = bytes.subspan(kIcmpHeaderSize)};
}

bool IsEchoReply(IpVersion version, const EchoMessage& message) {
  return message.type == (version == IpVersion::kV4 ? kReplyV4 : kReplyV6);
}

bool MayBeginPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                       std::span<const std::uint8_t> payload) {
  const std::size_t size = std::min<std::size_t>(payload_size, payload.size());
  const std::size_t cookie_size = std::min(size, kCookieSize);
  return std::memcmp(payload.data(), &cookie, cookie_size) == 0 &&
         std::memcmp(payload.data() + cookie_size,
                     Pattern().data() + cookie_size, size - cookie_size) == 0;
}

bool IsPayloadOf(std::uint64_t cookie, std::uint16_t payload_size,
                 std::span<const std::uint8_t> payload) {
  return payload.size() == payload_size &&
         MayBeginPayloadOf(cookie, payload_size, payload);
}

std::uint16_t InternetChecksum(std::span<const std::uint8_t> bytes) {
  // Sums in the machine's byte order, which RFC 1071 section 2 allows.
  std::uint64_t sum = 0;
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    std::uint32_t word;
    std::memcpy(&word, &bytes[i], sizeof(word));
    sum += word;
  }
  if (i < bytes.size()) {
    std::uint32_t word = 0;
    std::memcpy(&word, &bytes[i], bytes.size() - i);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace echo_exporter
