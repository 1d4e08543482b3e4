// Sends IPv4 echo replies that nobody asked for, about 100,000 a second, to a
// host that sends echo requests by a device, and prints how many. In turn:
//
//   forged      from the destination of a request, with the identifier and a
//               sequence number of late, but another payload
//   foreign     the same from an address that nobody probes
//   unrelated   with an identifier that nobody uses
//
// What it forges it learns from the requests that it sees on the device. It
// sends to the requests' source, which must be an address of this host: every
// packet goes over the loopback device and none leaves.
//
// Usage: reply_flood DEVICE SECONDS

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPayload = 32;
constexpr std::size_t kBatch = 100;
constexpr auto kBatchTime = std::chrono::milliseconds(1);
constexpr std::size_t kDestinations = 64;

struct Packet {
  iphdr ip;
  icmphdr icmp;
  std::array<std::uint8_t, kPayload> payload;
};

// What the requests have told so far.
struct Seen {
  std::uint16_t id = 0;  // In network byte order, like the addresses.
  std::uint32_t host = 0;
  std::uint16_t sequence = 0;
  std::vector<std::uint32_t> destinations;
};

struct Counts {
  unsigned long forged = 0;
  unsigned long foreign = 0;
  unsigned long unrelated = 0;
};

[[noreturn]] void Fail(const char* doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

int OpenCapture(const char* device) {
  const int capture =
      socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_IP));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(device));
  if (capture < 0 || address.sll_ifindex == 0 ||
      bind(capture, reinterpret_cast<sockaddr*>(&address), sizeof address) !=
          0) {
    Fail("capturing");
  }
  return capture;
}

void Learn(int capture, Seen& seen) {
  std::array<std::uint8_t, 65536> bytes;
  for (;;) {
    const ssize_t size = recv(capture, bytes.data(), bytes.size(), 0);
    if (size < 0) return;
    Packet request;
    if (static_cast<std::size_t>(size) < sizeof(iphdr) + sizeof(icmphdr)) {
      continue;
    }
    std::memcpy(&request, bytes.data(), sizeof(iphdr) + sizeof(icmphdr));
    if (request.ip.version != 4 || request.ip.protocol != IPPROTO_ICMP ||
        request.icmp.type != ICMP_ECHO) {
      continue;
    }
    seen.id = request.icmp.un.echo.id;
    seen.sequence = ntohs(request.icmp.un.echo.sequence);
    seen.host = request.ip.saddr;
    if (seen.destinations.size() == kDestinations) {
      seen.destinations.erase(seen.destinations.begin());
    }
    seen.destinations.push_back(request.ip.daddr);
  }
}

std::uint16_t Checksum(const void* data, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size; i += 2) {
    std::uint16_t word;
    std::memcpy(&word, static_cast<const char*>(data) + i, sizeof word);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Packet MakeReply(const Seen& seen, std::mt19937& random, Counts& counts) {
  Packet packet{};
  packet.ip.version = 4;
  packet.ip.ihl = 5;
  packet.ip.ttl = 64;
  packet.ip.protocol = IPPROTO_ICMP;
  packet.ip.daddr = seen.host;
  packet.ip.saddr = seen.destinations[random() % seen.destinations.size()];
  packet.icmp.type = ICMP_ECHOREPLY;
  packet.icmp.un.echo.id = seen.id;
  packet.icmp.un.echo.sequence =
      htons(static_cast<std::uint16_t>(seen.sequence - random() % 200));
  for (auto& byte : packet.payload) byte = static_cast<std::uint8_t>(random());
  switch (random() % 3) {
    case 0:
      ++counts.forged;
      break;
    case 1:
      ++counts.foreign;
      // Block 99 of the same network: nobody is probed there.
      packet.ip.saddr = (packet.ip.saddr & htonl(0xffff'00ff)) | htonl(99 << 8);
      break;
    default:
      ++counts.unrelated;
      packet.icmp.un.echo.id = static_cast<std::uint16_t>(~seen.id);
  }
  packet.icmp.checksum =
      Checksum(&packet.icmp, sizeof packet.icmp + sizeof packet.payload);
  return packet;
}

void SendBatch(int out, const Seen& seen, std::mt19937& random,
               Counts& counts) {
  std::array<Packet, kBatch> packets;
  std::array<iovec, kBatch> vectors;
  std::array<mmsghdr, kBatch> messages{};
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = seen.host;
  for (std::size_t i = 0; i < kBatch; ++i) {
    packets[i] = MakeReply(seen, random, counts);
    vectors[i] = {&packets[i], sizeof(Packet)};
    messages[i].msg_hdr.msg_name = &to;
    messages[i].msg_hdr.msg_namelen = sizeof to;
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t sent = 0; sent < kBatch;) {
    const int more =
        sendmmsg(out, &messages[sent], static_cast<unsigned>(kBatch - sent), 0);
    if (more < 0) Fail("sending");
    sent += static_cast<std::size_t>(more);
  }
}

void Flood(const char* device, std::chrono::seconds duration) {
  const int capture = OpenCapture(device);
  const int out = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (out < 0) Fail("opening a raw socket");
  Seen seen;
  while (seen.destinations.empty()) {
    // Nobody tells when the exporter has sent its first request.
    std::this_thread::sleep_for(kBatchTime);
    Learn(capture, seen);
  }
  std::mt19937 random(1);
  Counts counts;
  const Clock::time_point start = Clock::now();
  Clock::time_point next = start;
  while (Clock::now() < start + duration) {
    Learn(capture, seen);
    SendBatch(out, seen, random, counts);
    next += kBatchTime;
    std::this_thread::sleep_until(next);
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  std::printf(
      "{\"forged\": %lu, \"foreign\": %lu, \"unrelated\": %lu, "
      "\"seconds\": %.3f}\n",
      counts.forged, counts.foreign, counts.unrelated, took.count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    Flood(argv[1], std::chrono::seconds(std::atoi(argv[2])));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reply_flood: %s\n", error.what());
    return 1;
  }
}
