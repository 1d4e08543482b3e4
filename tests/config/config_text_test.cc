#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "echo_exporter/config.h"
#include "tests/support/source_file.h"

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
            "\"10115\" is no listen address: write \"127.0.0.1:10115\", "
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
            "\"wan\" is neither \"auto\" nor an address nor a name of "
            "[sources] (\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", "
            "\"h\", \"i\", \"j\", ...)");
  EXPECT_EQ(ParseSource("", {}).error().message,
            "\"\" is neither \"auto\" nor an address nor a name of [sources] "
            "(there are none)");
  EXPECT_FALSE(ParseSource("0.0.0.0", named).ok());
  const std::string hostile(100'000, '\n');
  EXPECT_LT(ParseSource(hostile, {}).error().message.size(), 1000U);
}

TEST(ConfigToTomlTest, WritesTheWholeConfiguration) {
  const auto config = ParseConfig(R"(
[metrics]
rtt_buckets = [0.001, 2]
[sources]
"wan \"1\"" = "192.0.2.10"
lan = { interface = "Ethernet 2" }
[[group]]
name = "tab\\quote\""
sources = ["auto", "lan"]
destinations = ["192.0.2.4/30", "dns.example.net"]
labels = { site = "fra\u0007\n\"1\"" }
interval = "90s"
[probe]
allowed_targets = ["*.example.net", "192.0.2.1"]
allowed_sources = ["auto", "192.0.2.0/24"]
requests_per_second = 0.25
)",
                                  "f.toml")
                          .config;
  ASSERT_TRUE(config);
  EXPECT_EQ(ConfigToToml(*config), R"([web]
listen_addresses = [
  "0.0.0.0:10115",
]
allow_reload = true

[metrics]
rtt_buckets = [
  0.001,
  2,
]

[engine]
max_in_flight = 4096
drain_timeout = "1500ms"

[sources]
"lan" = { interface = "Ethernet 2" }
"wan \"1\"" = "192.0.2.10"

[[group]]
name = "tab\\quote\""
interval = "90s"
dns_refresh = "1m"
timeout = "1s"
payload_size = 32
ttl = 128
tos = 0
dont_fragment = false
ip_version = "any"
sources = [
  "auto",
  "lan",
]
destinations = [
  "192.0.2.5",
  "192.0.2.6",
  "dns.example.net",
]
labels = { site = "fra\u0007\u000a\"1\"" }

[modules."icmp"]
timeout = "2s"
payload_size = 32
ttl = 128
tos = 0
dont_fragment = false
ip_version = "any"
source = "auto"

[probe]
max_concurrent = 64
allowed_targets = [
  "192.0.2.1/32",
  "*.example.net",
]
allowed_sources = [
  "192.0.2.0/24",
  "auto",
]
requests_per_second = 0.25
burst = 10
)");
}

TEST(ConfigToTomlTest, IsReadBackAsTheSameConfiguration) {
  for (const char* file :
       {"config/echo_exporter.toml", "config/quickstart.toml"}) {
    const auto config = ParseConfig(ReadSourceFile(file), file).config;
    ASSERT_TRUE(config);
    const std::string text = ConfigToToml(*config);
    const ConfigOutcome again = ParseConfig(text, "again");
    EXPECT_EQ(again.errors, ConfigErrors());
    ASSERT_TRUE(again.config);
    EXPECT_EQ(ConfigToToml(*again.config), text);
    EXPECT_EQ(again.config->pairs.size(), config->pairs.size());
  }
}

}  // namespace
}  // namespace echo_exporter
