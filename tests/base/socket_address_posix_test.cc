#include "src/base/socket_address_posix.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace echo_exporter {
namespace {

TEST(SocketAddressLinuxTest, WritesWhatItReads) {
  for (const char* const text : {"0.0.0.0", "192.0.2.1", "255.255.255.255",
                                 "::", "::1", "2001:db8::1", "fe80::1%7"}) {
    const IpAddress address = *IpAddress::Parse(text);
    sockaddr_storage storage;
    const socklen_t size = ToSocketAddress(address, &storage);
    EXPECT_EQ(size,
              address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(FromSocketAddress(reinterpret_cast<const sockaddr*>(&storage)),
              address)
        << text;
  }
}

TEST(SocketAddressLinuxTest, WritesWhatTheSystemUnderstands) {
  sockaddr_storage storage;
  ToSocketAddress(*IpAddress::Parse("192.0.2.1"), &storage);
  sockaddr_in v4;
  std::memcpy(&v4, &storage, sizeof(v4));
  EXPECT_EQ(v4.sin_family, AF_INET);
  EXPECT_EQ(v4.sin_port, 0);
  EXPECT_EQ(ntohl(v4.sin_addr.s_addr), 0xc000'0201U);

  ToSocketAddress(*IpAddress::Parse("fe80::1%7"), &storage);
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof(v6));
  EXPECT_EQ(v6.sin6_family, AF_INET6);
  EXPECT_EQ(v6.sin6_port, 0);
  EXPECT_EQ(v6.sin6_scope_id, 7U);
}

TEST(SocketAddressLinuxTest, HasNoAddressForOtherFamilies) {
  EXPECT_EQ(FromSocketAddress(nullptr), std::nullopt);
  for (const int family : {AF_UNSPEC, AF_UNIX, AF_NETLINK}) {
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(family);
    EXPECT_EQ(FromSocketAddress(reinterpret_cast<const sockaddr*>(&storage)),
              std::nullopt);
  }
}

}  // namespace
}  // namespace echo_exporter
