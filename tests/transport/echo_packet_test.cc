#include "src/transport/echo_packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace echo_exporter {
namespace {

constexpr std::uint64_t kCookie = 0x8877'6655'4433'2211;
constexpr std::uint16_t kSizes[] = {0, 1,  2,  3,  4,  5,    6,    7,    8,
                                    9, 10, 11, 12, 32, 1472, 1473, 65500};
constexpr std::uint16_t kFewSizes[] = {1, 7, 8, 9, 32, 1472};

std::vector<std::uint8_t> Packet(IpVersion version, std::uint16_t payload_size,
                                 std::uint64_t cookie = kCookie) {
  std::vector<std::uint8_t> packet(kIcmpHeaderSize + payload_size, 0xee);
  EXPECT_EQ(WriteEchoRequest(version, 0x1234, 0xfedc, cookie, payload_size,
                             packet.data()),
            packet.size());
  return packet;
}

std::vector<std::uint8_t> Payload(std::uint16_t size,
                                  std::uint64_t cookie = kCookie) {
  std::vector<std::uint8_t> packet = Packet(IpVersion::kV4, size, cookie);
  packet.erase(packet.begin(), packet.begin() + kIcmpHeaderSize);
  return packet;
}

// The checksum as the two bytes that stand in a packet.
std::array<std::uint8_t, 2> ChecksumBytes(
    const std::vector<std::uint8_t>& bytes) {
  const std::uint16_t checksum = InternetChecksum(bytes);
  std::array<std::uint8_t, 2> result;
  std::memcpy(result.data(), &checksum, sizeof(checksum));
  return result;
}

TEST(EchoPacketTest, WritesTheHeaderOfItsIpVersion) {
  const auto v4 = Packet(IpVersion::kV4, 32);
  EXPECT_EQ(v4[0], 8);
  const auto v6 = Packet(IpVersion::kV6, 32);
  EXPECT_EQ(v6[0], 128);
  for (const auto& packet : {v4, v6}) {
    EXPECT_EQ(packet[1], 0);
    EXPECT_EQ(std::vector(packet.begin() + 4, packet.begin() + 8),
              (std::vector<std::uint8_t>{0x12, 0x34, 0xfe, 0xdc}));
  }
}

TEST(EchoPacketTest, GivesEveryIpv4RequestItsChecksum) {
  for (const std::uint16_t size : kSizes) {
    EXPECT_EQ(InternetChecksum(Packet(IpVersion::kV4, size)), 0) << size;
  }
}

TEST(EchoPacketTest, LeavesTheChecksumOfIpv6ToTheKernel) {
  const auto packet = Packet(IpVersion::kV6, 32);
  EXPECT_EQ(packet[2], 0);
  EXPECT_EQ(packet[3], 0);
}

TEST(EchoPacketTest, SumsAsTheExampleOfRfc1071) {
  EXPECT_EQ(ChecksumBytes({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}),
            (std::array<std::uint8_t, 2>{0x22, 0x0d}));
}

TEST(EchoPacketTest, SumsAnOddByteAsTheHighOne) {
  EXPECT_EQ(ChecksumBytes({0x01, 0x02, 0x03}),
            (std::array<std::uint8_t, 2>{0xfb, 0xfd}));
  EXPECT_EQ(ChecksumBytes({0x01}), (std::array<std::uint8_t, 2>{0xfe, 0xff}));
  EXPECT_EQ(ChecksumBytes({}), (std::array<std::uint8_t, 2>{0xff, 0xff}));
}

TEST(EchoPacketTest, SumsTheLargestPacketWithoutLosingACarry) {
  // 0xffff is 0 in one's complement arithmetic, however often it is added.
  EXPECT_EQ(ChecksumBytes(std::vector<std::uint8_t>(65534, 0xff)),
            (std::array<std::uint8_t, 2>{0x00, 0x00}));
}

TEST(EchoPacketTest, ReadsWhatItWrote) {
  const auto packet = Packet(IpVersion::kV6, 32);
  const auto message = ReadEchoMessage(packet);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->type, 128);
  EXPECT_EQ(message->id, 0x1234);
  EXPECT_EQ(message->sequence, 0xfedc);
  EXPECT_EQ(message->payload.size(), 32U);
  EXPECT_EQ(message->payload.data(), packet.data() + kIcmpHeaderSize);
}

TEST(EchoPacketTest, ReadsNothingFromLessThanAHeader) {
  const auto packet = Packet(IpVersion::kV4, 0);
  for (std::size_t size = 0; size < kIcmpHeaderSize; ++size) {
    EXPECT_FALSE(ReadEchoMessage(std::span(packet).first(size))) << size;
  }
  const auto message = ReadEchoMessage(packet);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->payload.empty());
}

TEST(EchoPacketTest, KnowsAReplyByTheTypeOfItsIpVersion) {
  for (int type = 0; type < 256; ++type) {
    const EchoMessage message{.type = static_cast<std::uint8_t>(type),
                              .payload = {}};
    EXPECT_EQ(IsEchoReply(IpVersion::kV4, message), type == 0) << type;
    EXPECT_EQ(IsEchoReply(IpVersion::kV6, message), type == 129) << type;
  }
}

TEST(EchoPacketTest, RecognisesThePayloadOfEverySize) {
  for (const std::uint16_t size : kSizes) {
    EXPECT_TRUE(IsPayloadOf(kCookie, size, Payload(size))) << size;
    EXPECT_TRUE(MayBeginPayloadOf(kCookie, size, Payload(size))) << size;
  }
}

TEST(EchoPacketTest, TakesAsMuchOfTheCookieAsFits) {
  for (int byte = 0; byte < 8; ++byte) {
    const std::uint64_t other = kCookie ^ std::uint64_t{1} << 8 * byte;
    std::array<std::uint8_t, 8> bytes, other_bytes;
    std::memcpy(bytes.data(), &kCookie, 8);
    std::memcpy(other_bytes.data(), &other, 8);
    const auto difference =
        std::mismatch(bytes.begin(), bytes.end(), other_bytes.begin()).first -
        bytes.begin();
    for (std::uint16_t size = 0; size <= 12; ++size) {
      EXPECT_EQ(IsPayloadOf(other, size, Payload(size)), size <= difference)
          << "byte " << difference << " of " << size;
    }
  }
}

TEST(EchoPacketTest, NoticesAChangeOfAnyByte) {
  for (const std::uint16_t size : kFewSizes) {
    for (std::size_t i = 0; i < size; ++i) {
      auto payload = Payload(size);
      payload[i] ^= 0x01;
      EXPECT_FALSE(IsPayloadOf(kCookie, size, payload)) << i << " of " << size;
      EXPECT_FALSE(MayBeginPayloadOf(kCookie, size, payload)) << i;
    }
  }
}

TEST(EchoPacketTest, NoticesAShiftOfThePattern) {
  auto payload = Payload(1472);
  std::rotate(payload.begin() + kCookieSize, payload.begin() + kCookieSize + 1,
              payload.end());
  EXPECT_FALSE(IsPayloadOf(kCookie, 1472, payload));
}

TEST(EchoPacketTest, TakesATruncatedPayloadForABeginningOnly) {
  for (const std::uint16_t size : kFewSizes) {
    for (std::size_t left = 0; left < size; ++left) {
      auto payload = Payload(size);
      payload.resize(left);
      EXPECT_FALSE(IsPayloadOf(kCookie, size, payload)) << left;
      EXPECT_TRUE(MayBeginPayloadOf(kCookie, size, payload)) << left;
    }
  }
}

TEST(EchoPacketTest, TakesALongerPayloadForABeginningOnly) {
  for (const std::uint16_t size : kSizes) {
    auto payload = Payload(size);
    payload.push_back(0);
    EXPECT_FALSE(IsPayloadOf(kCookie, size, payload)) << size;
    // An error may quote padding behind the request.
    EXPECT_TRUE(MayBeginPayloadOf(kCookie, size, payload)) << size;
  }
}

}  // namespace
}  // namespace echo_exporter
