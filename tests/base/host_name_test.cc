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

TEST(HostNameTest, ConvertsInternationalisedNames) {
  const auto ascii = [](const char* name) {
    return AsciiHostName(name).value_or("none");
  };
  EXPECT_EQ(ascii("A-1.b_c.d"), "A-1.b_c.d");
  EXPECT_EQ(ascii("b\u00fccher.example"), "xn--bcher-kva.example");
  EXPECT_EQ(ascii("BU\u0308CHER.example."), "xn--bcher-kva.example.");
  EXPECT_EQ(ascii("\u4f8b\u3048.\u30c6\u30b9\u30c8"), "xn--r8jz45g.xn--zckzah");
}

TEST(HostNameTest, RefusesInternationalisedTextThatIsNoName) {
  for (const std::string& name :
       {std::string("b\xc3"), std::string("\xff.example"),
        std::string("b\u00fc cher.example"), std::string("b\u00fc/x.example"),
        std::string("1.2.3.\uff14"), std::string("\u00fc..example"),
        std::string("\u00fc\0.example", 11),
        "\u00fc." + std::string(64, 'a')}) {
    EXPECT_EQ(AsciiHostName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace echo_exporter
