#include "src/base/host_name.h"

#include <gtest/gtest.h>

#include <string>

namespace echo_exporter {
namespace {

TEST(HostNameTest, AcceptsNamesThatAResolverMayBeAsked) {
  const std::string label(63, 'a');
  for (const std::string& name :
       {std::string("localhost"), std::string("dns.example.net"),
        std::string("dns.example.net."), std::string("A-1.b_c.d"),
        std::string("_icmp.example"), std::string("3com.com"),
        std::string("1.2.3.4x"), std::string("10.in-addr.arpa"), label,
        label + '.' + label + '.' + label + '.' + std::string(61, 'b')}) {
    EXPECT_TRUE(IsHostName(name)) << name;
  }
}

TEST(HostNameTest, RefusesOtherText) {
  const std::string label(63, 'a');
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(".a"),
        std::string("a.."), std::string("-a"), std::string("a-.b"),
        std::string("a b"), std::string("a/b"), std::string("b\xc3\xbc"),
        std::string("a\0b", 3), std::string("*.a"), std::string("a:1"),
        label + 'a',
        label + '.' + label + '.' + label + '.' + std::string(62, 'b')}) {
    EXPECT_FALSE(IsHostName(name)) << name;
  }
}

TEST(HostNameTest, RefusesWhatLooksLikeAMistypedAddress) {
  for (const char* name : {"1", "1.2.3", "300.1.1.1", "1.2.3.4.5", "127.1.",
                           "0x7f000001", "1.0X1f", "host.7", "a.0x"}) {
    EXPECT_FALSE(IsHostName(name)) << name;
  }
}

}  // namespace
}  // namespace echo_exporter
