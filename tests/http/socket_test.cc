#include "src/http/socket.h"

#include <gtest/gtest.h>

namespace echo_exporter {
namespace {

IpAddress Address(const char* text) { return IpAddress::Parse(text).value(); }

TEST(SocketTest, KnowsClientsByTheirAddressAlone) {
  EXPECT_EQ(WithoutZoneOrMapping(Address("192.0.2.1")), Address("192.0.2.1"));
  EXPECT_EQ(WithoutZoneOrMapping(Address("::ffff:192.0.2.1")),
            Address("192.0.2.1"));
  EXPECT_EQ(WithoutZoneOrMapping(Address("fe80::1%3")), Address("fe80::1"));
  for (const char* other :
       {"::1", "2001:db8::ffff:192.0.2.1", "::fffe:192.0.2.1", "::192.0.2.1"}) {
    EXPECT_EQ(WithoutZoneOrMapping(Address(other)), Address(other));
  }
}

TEST(SocketTest, SaysWhetherSomethingCameInTime) {
  const auto listener = OpenListener("127.0.0.1", 0, /*ipv6_only=*/true);
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  EXPECT_NE(LocalPort(listener.value()), 0);
  EXPECT_EQ(WaitForSocket(listener.value(), SocketEvent::kReadable,
                          std::chrono::milliseconds(0)),
            SocketState::kNotReady);
  EXPECT_EQ(AcceptClient(listener.value()), kNoSocket);
  EXPECT_TRUE(SocketCallWouldBlock());
  CloseSocket(listener.value());
}

}  // namespace
}  // namespace echo_exporter
