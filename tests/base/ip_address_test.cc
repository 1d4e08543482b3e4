#include "echo_exporter/ip_address.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace echo_exporter {
namespace {

/// `text` parsed and written again; "none" when it is refused.
std::string Canonical(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  return address ? address->ToString() : "none";
}

IpPrefix Prefix(const std::string& text) {
  const auto prefix = IpPrefix::Parse(text);
  EXPECT_TRUE(prefix) << text;
  return prefix.value();
}

std::vector<std::string> Hosts(const std::string& prefix_text) {
  const IpPrefix prefix = Prefix(prefix_text);
  std::vector<std::string> hosts;
  for (std::uint64_t n = 0; n < prefix.HostCount(); ++n) {
    hosts.push_back(prefix.HostAt(n).ToString());
  }
  return hosts;
}

TEST(IpAddressTest, ReadsAndWritesIpv4) {
  for (const char* text :
       {"0.0.0.0", "192.0.2.1", "10.200.0.9", "255.255.255.255"}) {
    EXPECT_EQ(Canonical(text), text);
    EXPECT_EQ(IpAddress::Parse(text)->version(), IpVersion::kV4);
  }
  const std::array<std::uint8_t, 16> bytes = {192, 0, 2, 1};
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->bytes(), bytes);
}

TEST(IpAddressTest, RefusesWhatIsNoIpv4Address) {
  for (const char* text :
       {"",         ".",         "1",         "1.2.3",
        "1.2.3.",   ".1.2.3",    "1.2.3.4.5", "1.2.3.4.",
        "1..2.3",   "256.1.1.1", "1.1.1.300", "99999999999.1.1.1",
        "01.2.3.4", "1.2.3.04",  "0x1.2.3.4", "-1.2.3.4",
        "+1.2.3.4", " 1.2.3.4",  "1.2.3.4 ",  "1.2.3.4\n",
        "1.2.3.a",  "1.2.3.4%1", "[1.2.3.4]"}) {
    EXPECT_EQ(Canonical(text), "none") << text;
  }
}

TEST(IpAddressTest, WritesIpv6AsRfc5952Says) {
  const std::vector<std::array<const char*, 2>> table = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:0:0:4:5:6:0:0", "1::4:5:6:0:0"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::FFFF:c000:201", "::ffff:192.0.2.1"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
      {"fe80::1%3", "fe80::1%3"},
      {"fe80::1%0", "fe80::1"},
      {"ff02::1%4294967295", "ff02::1%4294967295"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(Canonical(text), canonical);
    EXPECT_EQ(Canonical(canonical), canonical);
    EXPECT_EQ(IpAddress::Parse(text)->version(), IpVersion::kV6);
  }
}

TEST(IpAddressTest, RefusesWhatIsNoIpv6Address) {
  for (const char* text : {":",
                           ":::",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "1:::2",
                           "::1::",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "12345::",
                           "g::",
                           "::1.2.3",
                           "::1.2.3.4.5",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "[::1]",
                           " ::1",
                           "::1 ",
                           "::+1",
                           "::-1",
                           "::0x1",
                           "fe80::1%",
                           "fe80::1%eth0",
                           "fe80::1%01",
                           "fe80::1%-1",
                           "fe80::1%4294967296",
                           "fe80::1%3%4",
                           "%3",
                           "2001:db8::1%3",
                           "::1/128"}) {
    EXPECT_EQ(Canonical(text), "none") << text;
  }
}

TEST(IpAddressTest, KeepsAZoneOnlyWhereItMeansSomething) {
  const std::array<std::uint8_t, 16> global = {0x20, 0x01, 0x0d, 0xb8};
  EXPECT_EQ(IpAddress::V6(global, 7), IpAddress::V6(global));
  const std::array<std::uint8_t, 16> link_local = {0xfe, 0x80};
  EXPECT_EQ(IpAddress::V6(link_local, 7).scope_id(), 7U);
  EXPECT_NE(IpAddress::V6(link_local, 7), IpAddress::V6(link_local, 8));
  const std::array<std::uint8_t, 16> last_link_local = {0xfe, 0xbf};
  EXPECT_EQ(IpAddress::V6(last_link_local, 7).scope_id(), 7U);
  const std::array<std::uint8_t, 16> site_local = {0xfe, 0xc0};
  EXPECT_EQ(IpAddress::V6(site_local, 7).scope_id(), 0U);
}

TEST(IpAddressTest, KnowsWhatNoHostHas) {
  for (const char* text :
       {"0.0.0.0", "::", "224.0.0.1", "239.255.255.255", "255.255.255.255",
        "ff02::1", "ff0e::1", "::ffff:0.0.0.0", "::ffff:224.0.0.1",
        "::ffff:255.255.255.255"}) {
    EXPECT_FALSE(IpAddress::Parse(text)->IsHost()) << text;
  }
  for (const char* text :
       {"127.0.0.1", "0.0.0.1", "223.255.255.255", "240.0.0.1", "::1",
        "fe80::1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    EXPECT_TRUE(IpAddress::Parse(text)->IsHost()) << text;
  }
}

TEST(ZonedAddressTest, ReadsZonesByNumberAndByName) {
  const auto zoned = [](const char* text) {
    const auto address = ZonedAddress::Parse(text);
    return address ? address->address.ToString() + " " + address->zone : "none";
  };
  EXPECT_EQ(zoned("192.0.2.1"), "192.0.2.1 ");
  EXPECT_EQ(zoned("fe80::1%3"), "fe80::1%3 ");
  EXPECT_EQ(zoned("FE80::1%eth0"), "fe80::1 eth0");
  EXPECT_EQ(zoned("fe80::1%Ethernet 2"), "fe80::1 Ethernet 2");
  EXPECT_EQ(zoned("fe80::1%WLAN % 2"), "fe80::1 WLAN % 2");
  EXPECT_EQ(ZonedAddress::Parse("FE80::1%eth0")->ToString(), "fe80::1%eth0");
  for (const char* text :
       {"fe80::1%", "fe80::1%01", "fe80::1%4294967296", "2001:db8::1%eth0",
        "192.0.2.1%eth0", "fe80::1%a\nb", "%eth0", "a%eth0"}) {
    EXPECT_EQ(zoned(text), "none") << text;
  }
}

TEST(IpAddressTest, KnowsTheUnspecifiedAddresses) {
  EXPECT_TRUE(IpAddress().IsUnspecified());
  EXPECT_TRUE(IpAddress::Parse("::")->IsUnspecified());
  EXPECT_FALSE(IpAddress::Parse("0.0.0.1")->IsUnspecified());
  EXPECT_FALSE(IpAddress::Parse("::1")->IsUnspecified());
  EXPECT_NE(*IpAddress::Parse("::"), *IpAddress::Parse("0.0.0.0"));
}

TEST(IpPrefixTest, ReadsAndWritesPrefixes) {
  for (const char* text :
       {"10.0.0.0/29", "0.0.0.0/0", "192.0.2.1/32", "10.0.0.128/25", "::/0",
        "2001:db8::/32", "::1/128", "2001:db8:0:0:8000::/65", "fe80::%3/64"}) {
    EXPECT_TRUE(IpPrefix::Parse(text)) << text;
  }
  EXPECT_EQ(Prefix("10.0.0.0/29").ToString(), "10.0.0.0/29");
  EXPECT_EQ(Prefix("10.0.0.0/29").length(), 29);
  EXPECT_EQ(Prefix("2001:DB8:0::/48").ToString(), "2001:db8::/48");
}

TEST(IpPrefixTest, RefusesWhatIsNoPrefix) {
  for (const char* text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/8 ", "10.0.0.0/a", "::/129",
        "example.net/24", "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
  }
}

TEST(IpPrefixTest, RefusesAddressBitsBehindThePrefix) {
  for (const char* text : {"10.0.0.1/29", "10.0.0.0/6", "0.0.0.1/31",
                           "2001:db8::1/127", "2001:db8::/28", "8000::/0"}) {
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
  }
}

TEST(IpPrefixTest, ContainsItsAddressesOnly) {
  const IpPrefix v4 = Prefix("10.0.0.64/27");
  EXPECT_TRUE(v4.Contains(*IpAddress::Parse("10.0.0.64")));
  EXPECT_TRUE(v4.Contains(*IpAddress::Parse("10.0.0.95")));
  EXPECT_FALSE(v4.Contains(*IpAddress::Parse("10.0.0.63")));
  EXPECT_FALSE(v4.Contains(*IpAddress::Parse("10.0.0.96")));
  EXPECT_FALSE(v4.Contains(*IpAddress::Parse("11.0.0.64")));
  EXPECT_FALSE(v4.Contains(*IpAddress::Parse("a00:40::")));

  const IpPrefix v6 = Prefix("2001:db8::/33");
  EXPECT_TRUE(v6.Contains(*IpAddress::Parse("2001:db8:7fff::1")));
  EXPECT_FALSE(v6.Contains(*IpAddress::Parse("2001:db8:8000::1")));

  EXPECT_TRUE(Prefix("0.0.0.0/0").Contains(*IpAddress::Parse("255.1.2.3")));
  EXPECT_FALSE(Prefix("0.0.0.0/0").Contains(*IpAddress::Parse("::")));
}

TEST(IpPrefixTest, WithoutAZoneContainsAddressesOfAnyZone) {
  const IpAddress address = *IpAddress::Parse("fe80::1%3");
  EXPECT_TRUE(Prefix("fe80::/64").Contains(address));
  EXPECT_TRUE(Prefix("fe80::%3/64").Contains(address));
  EXPECT_FALSE(Prefix("fe80::%4/64").Contains(address));
}

TEST(IpPrefixTest, LeavesOutNetworkAndBroadcastAddressOfIpv4) {
  EXPECT_EQ(Hosts("10.0.0.0/29"),
            (std::vector<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.3",
                                      "10.0.0.4", "10.0.0.5", "10.0.0.6"}));
  EXPECT_EQ(Hosts("10.0.0.4/30"),
            (std::vector<std::string>{"10.0.0.5", "10.0.0.6"}));
  EXPECT_EQ(Hosts("10.0.0.4/31"),
            (std::vector<std::string>{"10.0.0.4", "10.0.0.5"}));
  EXPECT_EQ(Hosts("10.0.0.4/32"), (std::vector<std::string>{"10.0.0.4"}));
}

TEST(IpPrefixTest, LeavesOutTheSubnetRouterAnycastAddressOfIpv6) {
  EXPECT_EQ(Hosts("2001:db8::fffc/126"),
            (std::vector<std::string>{"2001:db8::fffd", "2001:db8::fffe",
                                      "2001:db8::ffff"}));
  EXPECT_EQ(Hosts("::2/127"), (std::vector<std::string>{"::2", "::3"}));
  EXPECT_EQ(Hosts("::2/128"), (std::vector<std::string>{"::2"}));
  EXPECT_EQ(Hosts("fe80::%3/127"),
            (std::vector<std::string>{"fe80::%3", "fe80::1%3"}));
}

TEST(IpPrefixTest, CountsHostsOfAnyPrefix) {
  EXPECT_EQ(Prefix("10.0.0.0/16").HostCount(), 65534U);
  EXPECT_EQ(Prefix("0.0.0.0/0").HostCount(), 4294967294U);
  EXPECT_EQ(Prefix("2001:db8::/112").HostCount(), 65535U);
  EXPECT_EQ(Prefix("2001:db8::/65").HostCount(), (std::uint64_t{1} << 63) - 1);
  constexpr auto kAll = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(Prefix("2001:db8::/64").HostCount(), kAll);
  EXPECT_EQ(Prefix("::/0").HostCount(), kAll);
}

TEST(IpPrefixTest, CarriesFromByteToByte) {
  EXPECT_EQ(Prefix("10.0.0.0/16").HostAt(65533).ToString(), "10.0.255.254");
  EXPECT_EQ(Prefix("10.0.0.0/16").HostAt(255).ToString(), "10.0.1.0");
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max() - 1;
  EXPECT_EQ(Prefix("2001:db8::/64").HostAt(kLast).ToString(),
            "2001:db8::ffff:ffff:ffff:ffff");
  EXPECT_EQ(Prefix("2001:db8::/32").HostAt(kLast + 1).ToString(),
            "2001:db8:0:1::");
}

}  // namespace
}  // namespace echo_exporter
