#include "tests/support/packet_capture_linux.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <stdexcept>

namespace echo_exporter {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int kIcmp = 1;
constexpr int kIcmpV6 = 58;
constexpr int kFragmentHeader = 44;

template <std::size_t kSize>
std::array<std::uint8_t, kSize> Take(Bytes packet, std::size_t at) {
  std::array<std::uint8_t, kSize> bytes;
  std::copy_n(packet.begin() + static_cast<std::ptrdiff_t>(at), kSize,
              bytes.begin());
  return bytes;
}

std::optional<PacketCapture::Request> ReadV4(Bytes packet) {
  if (packet.size() < 28 || packet[9] != kIcmp || packet[20] != 8) {
    return std::nullopt;
  }
  const int offset = (packet[6] & 0x1f) << 8 | packet[7];
  if (offset != 0) return std::nullopt;
  return PacketCapture::Request{
      .source = IpAddress::V4(Take<4>(packet, 12)),
      .destination = IpAddress::V4(Take<4>(packet, 16)),
      .ttl = packet[8],
      .tos = packet[1],
      .identifier = packet[24] << 8 | packet[25],
      .dont_fragment = (packet[6] & 0x40) != 0,
      .is_fragment = (packet[6] & 0x20) != 0};
}

std::optional<PacketCapture::Request> ReadV6(Bytes packet) {
  if (packet.size() < 56) return std::nullopt;
  const bool is_fragment = packet[6] == kFragmentHeader;
  const std::size_t icmp = is_fragment ? 48 : 40;
  if (is_fragment && ((packet[42] << 8 | packet[43]) & 0xfff8) != 0) {
    return std::nullopt;
  }
  if (packet[is_fragment ? 40 : 6] != kIcmpV6 || packet[icmp] != 128) {
    return std::nullopt;
  }
  return PacketCapture::Request{
      .source = IpAddress::V6(Take<16>(packet, 8)),
      .destination = IpAddress::V6(Take<16>(packet, 24)),
      .ttl = packet[7],
      .tos = (packet[0] & 0x0f) << 4 | packet[1] >> 4,
      .identifier = packet[icmp + 4] << 8 | packet[icmp + 5],
      .is_fragment = is_fragment};
}

}  // namespace

PacketCapture::PacketCapture(const std::string& device)
    : socket_(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
  // Never reached: what it waits for comes at once.
  constexpr timeval patience{.tv_sec = 300, .tv_usec = 0};
  if (!socket_ ||
      setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience,
                 sizeof(patience)) != 0 ||
      address.sll_ifindex == 0 ||
      bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0) {
    throw std::runtime_error("capturing packets of " + device);
  }
}

PacketCapture::Request PacketCapture::Next() {
  for (;;) {
    std::array<std::uint8_t, 65536> bytes;
    sockaddr_ll from{};
    socklen_t from_size = sizeof(from);
    const ssize_t size =
        recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                 reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) throw std::runtime_error("reading captured packets");
    if (from.sll_pkttype != PACKET_OUTGOING) continue;
    const Bytes packet(bytes.data(), static_cast<std::size_t>(size));
    const auto request =
        from.sll_protocol == htons(ETH_P_IP) ? ReadV4(packet) : ReadV6(packet);
    if (request) return *request;
  }
}

}  // namespace echo_exporter
