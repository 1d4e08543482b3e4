#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "echo_exporter/config.h"

namespace echo_exporter {
namespace {

/// Host, a bar and port; "none" when the text is no listen address.
std::string Listen(std::string_view text) {
  const auto address = ParseListenAddress(text);
  if (!address.ok()) return "none";
  return address.value().host + '|' + std::to_string(address.value().port);
}

TEST(ListenAddressTest, ReadsHostAndPort) {
  EXPECT_EQ(Listen("127.0.0.1:10115"), "127.0.0.1|10115");
  EXPECT_EQ(Listen("[::1]:10115"), "::1|10115");
  EXPECT_EQ(Listen("[fe80::1%3]:0"), "fe80::1%3|0");
  EXPECT_EQ(Listen(":10115"), "|10115");
  EXPECT_EQ(Listen("localhost:65535"), "localhost|65535");
}

TEST(ListenAddressTest, RefusesAnythingElse) {
  for (const char* text : {"",
                           ":",
                           "10115",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1: 1",
                           "127.0.0.1:1 ",
                           "127.0.0.1:http",
                           "::1:10115",
                           "[::1]",
                           "[::1]10115",
                           "[127.0.0.1]:1",
                           "[localhost]:1",
                           "[]:1",
                           "[:1",
                           "]:1",
                           "1.2.3:1",
                           "a b:1",
                           "*:1"}) {
    EXPECT_EQ(Listen(text), "none") << text;
  }
  EXPECT_EQ(ParseListenAddress("10115").error().message,
            "\"10115\" is not a valid listen address; use \"127.0.0.1:10115\", "
            "\"[::1]:10115\", \"name:10115\" or, for all interfaces, "
            "\":10115\"");
}

TEST(SourceTest, ReadsAutoNamesAndAddresses) {
  SourceConfig wan;
  wan.name = "wan";
  wan.kind = SourceConfig::Kind::kInterface;
  wan.interface_name = "Ethernet 2";
  const std::map<std::string, SourceConfig> named = {{"wan", wan}};

  EXPECT_EQ(ParseSource("auto", named).value().kind, SourceConfig::Kind::kAuto);
  EXPECT_EQ(ParseSource("auto", named).value().name, "auto");
  EXPECT_EQ(ParseSource("wan", named).value().interface_name, "Ethernet 2");
  const auto address = ParseSource("2001:DB8::1", named);
  EXPECT_EQ(address.value().kind, SourceConfig::Kind::kAddress);
  EXPECT_EQ(address.value().name, "2001:DB8::1");
  EXPECT_EQ(address.value().address.ToString(), "2001:db8::1");
}

TEST(SourceTest, SaysWhatASourceMayBe) {
  std::map<std::string, SourceConfig> named;
  for (char c = 'a'; c <= 'z'; ++c) named[std::string(1, c)];
  EXPECT_EQ(ParseSource("wan", named).error().message,
            "\"wan\" is neither \"auto\", nor an address, nor a name in "
            "[sources] (\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", "
            "\"h\", \"i\", \"j\", ...)");
  EXPECT_EQ(ParseSource("", {}).error().message,
            "\"\" is neither \"auto\", nor an address, nor a name in [sources] "
            "(none are defined)");
  EXPECT_FALSE(ParseSource("0.0.0.0", named).ok());
  const std::string hostile(100'000, '\n');
  EXPECT_LT(ParseSource(hostile, {}).error().message.size(), 1000U);
}

}  // namespace
}  // namespace echo_exporter
