#include <gtest/gtest.h>

#include <string>

#include "echo_exporter/config.h"
#include "tests/support/source_file.h"

namespace echo_exporter {
namespace {

TEST(ConfigToTomlTest, WritesTheWholeConfiguration) {
  const auto config = ParseConfig(R"(
[metrics]
rtt_buckets = [0.001, 2]
native_factor = "off"
omit = ["icmp_echo_jitter_seconds", "icmp_echo_in_flight"]
[sources]
"wan \"1\"" = "192.0.2.10"
lan = { interface = "Ethernet 2" }
both = ["2001:db8::10", "192.0.2.11"]
[[group]]
name = "tab\\quote\""
sources = ["auto", "lan"]
destinations = ["192.0.2.4/30", "dns.example.net"]
labels = { site = "fra\u0007\n\"1\"" }
interval = "90s"
[probe]
allow_destinations = true
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
allow_actions = true

[metrics]
rtt_buckets = [
  0.001,
  2,
]
native_factor = "off"
native_max_buckets = 160
omit = [
  "icmp_echo_in_flight",
  "icmp_echo_jitter_seconds",
]

[engine]
max_in_flight = 4096
drain_timeout = "1500ms"

[history]
memory = "64MiB"
lossy = 0.01

[discovery]
max_pairs = 100000

[sources]
"both" = ["2001:db8::10", "192.0.2.11"]
"lan" = { interface = "Ethernet 2" }
"wan \"1\"" = "192.0.2.10"

[[group]]
name = "tab\\quote\""
interval = "90s"
dns_refresh = "1m"
flow_renew_after = 3
outage_after = 3
timeout = "1s"
payload_size = 32
ttl = 128
tos = 0
dont_fragment = false
ip_version = "any"
flow = "steady"
sources = [
  "auto",
  "lan",
]
destinations = [
  "192.0.2.5",
  "192.0.2.6",
  "dns.example.net",
]
addresses = "first"
exclude_self = false
labels = { site = "fra\u0007\u000a\"1\"" }

[modules."icmp"]
timeout = "2s"
payload_size = 32
ttl = 128
tos = 0
dont_fragment = false
ip_version = "any"
flow = "steady"
source = "auto"
mode = "on_demand"

[probe]
enabled = true
max_concurrent = 64
max_continuous = 10000
allowed_targets = [
  "192.0.2.1/32",
  "*.example.net",
]
allow_destinations = true
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
