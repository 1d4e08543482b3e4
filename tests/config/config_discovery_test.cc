#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "echo_exporter/config.h"
#include "src/base/file.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

/// The configuration in `text`, which must be a good one of conf/f.toml.
ExporterConfig ParseInConf(std::string_view text,
                           const ConfigPlatform& platform = {}) {
  ConfigOutcome outcome = ParseConfig(text, "conf/f.toml", platform);
  EXPECT_EQ(outcome.errors, ConfigErrors());
  return outcome.config.value_or(ExporterConfig());
}

/// The absolute path of what a key of conf/f.toml names.
std::string Beside(const std::string& path) {
  return PathToUtf8(
      std::filesystem::absolute(PathFromUtf8("conf") / PathFromUtf8(path)));
}

void ExpectSameWhenReadBack(const ExporterConfig& config) {
  const std::string text = ConfigToToml(config);
  EXPECT_EQ(ConfigToToml(ParseInConf(text)), text);
}

TEST(ConfigDiscoveryTest, ADestinationMayHaveANameAndLabels) {
  const ExporterConfig config = ParseInConf(R"(
[[group]]
name = "g"
labels = { site = "fra" }
destinations = [
  "192.0.2.1",
  { target = "192.0.2.2", name = "edge-fra-1", labels = { rack = "7" } },
  { target = "2001:DB8::1", labels = { rack = "8" } },
  { target = "b\u00fccher.example", name = "books" },
  { target = "192.0.2.4/31", labels = { a = "1", b = "2" } },
  { target = "a.example" },
]
)");
  const auto& destinations = config.groups.at(0).destinations;
  ASSERT_EQ(destinations.size(), 7U);
  EXPECT_EQ(config.pairs.size(), 7U);
  EXPECT_EQ(destinations[1].name, "edge-fra-1");
  EXPECT_EQ(destinations[1].address, IpAddress::Parse("192.0.2.2"));
  EXPECT_EQ(destinations[1].labels, (Labels{{"rack", "7"}}));
  EXPECT_EQ(destinations[2].name, "2001:DB8::1");
  EXPECT_EQ(destinations[2].address, IpAddress::Parse("2001:db8::1"));
  EXPECT_EQ(destinations[3].name, "books");
  EXPECT_FALSE(destinations[3].address);
  EXPECT_EQ(destinations[3].ascii_name, "xn--bcher-kva.example");
  EXPECT_EQ(destinations[5].name, "192.0.2.5");
  EXPECT_EQ(destinations[5].labels, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(destinations[6].name, "a.example");
  EXPECT_EQ(destinations[6].ascii_name, "");
  EXPECT_EQ(config.groups[0].labels, (Labels{{"site", "fra"}}));
  ExpectSameWhenReadBack(config);
}

TEST(ConfigDiscoveryTest, AProbeMayNameTheTargetOfANamedDestination) {
  const ExporterConfig config = ParseInConf(
      "[[group]]\nname = \"g\"\n"
      "destinations = [{ target = \"A.example\", name = \"edge\" },\n"
      "  { target = \"192.0.2.1\", name = \"core\" }]\n"
      "[probe]\nallow_destinations = true\n");
  EXPECT_EQ(config.probe.destinations,
            (std::unordered_set<std::string>{"a.example", "192.0.2.1"}));
}

TEST(ConfigDiscoveryTest, ReadsWhereTargetsComeFrom) {
  const ExporterConfig config = ParseInConf(R"(
[discovery]
state_dir = "state"
max_pairs = 500
[[group]]
name = "branches"
addresses = "all"
exclude_self = true
neighbours = 10
[[group.file_sd]]
files = ["targets/*.json", "site.YML", "/etc/t.yaml"]
[[group.file_sd]]
files = ["ports.json"]
strip_port = true
[[group.http_sd]]
url = "https://cmdb.example.net:8443/targets?agent={hostname}&x={hostname}"
refresh_interval = "5s"
strip_port = true
ca_file = "ca.pem"
cert_file = "cert.pem"
key_file = "key.pem"
server_name = "cmdb.internal"
basic_auth = { username = "echo", password_file = "password" }
[[group.http_sd]]
url = "http://[::1]/"
proxy_url = "http://proxy.example.net:3128/"
[[group.http_sd]]
url = "https://cmdb.example.net"
refresh_interval = "24h"
bearer_token_file = "token"
)",
                                            {.hostname = "node a\u00fc"});
  EXPECT_EQ(config.state_dir, Beside("state"));
  EXPECT_EQ(config.max_pairs, 500U);
  EXPECT_EQ(config.pairs.size(), 0U);
  const GroupConfig& group = config.groups.at(0);
  EXPECT_EQ(group.name_addresses, NameAddresses::kAll);
  EXPECT_TRUE(group.exclude_self);
  EXPECT_EQ(group.neighbours, 10U);
  ASSERT_EQ(group.file_sd.size(), 2U);
  EXPECT_EQ(group.file_sd[0].files,
            (Strings{Beside("targets/*.json"), Beside("site.YML"),
                     Beside("/etc/t.yaml")}));
  EXPECT_FALSE(group.file_sd[0].strip_port);
  EXPECT_TRUE(group.file_sd[1].strip_port);
  ASSERT_EQ(group.http_sd.size(), 3U);
  const HttpDiscoveryConfig& http = group.http_sd[0];
  EXPECT_EQ(http.url,
            "https://cmdb.example.net:8443/targets?agent=node%20a%C3%BC&"
            "x=node%20a%C3%BC");
  EXPECT_EQ(http.refresh_interval, seconds(5));
  EXPECT_TRUE(http.strip_port);
  EXPECT_EQ(http.ca_file, Beside("ca.pem"));
  EXPECT_EQ(http.cert_file, Beside("cert.pem"));
  EXPECT_EQ(http.key_file, Beside("key.pem"));
  EXPECT_EQ(http.server_name, "cmdb.internal");
  EXPECT_EQ(http.username, "echo");
  EXPECT_EQ(http.password_file, Beside("password"));
  EXPECT_EQ(group.http_sd[1].proxy_url, "http://proxy.example.net:3128");
  EXPECT_EQ(group.http_sd[1].refresh_interval, seconds(60));
  EXPECT_EQ(group.http_sd[2].refresh_interval, hours(24));
  EXPECT_EQ(group.http_sd[2].bearer_token_file, Beside("token"));
  ExpectSameWhenReadBack(config);
}

TEST(ConfigDiscoveryTest, DefaultsAreWhatWasThereBeforeDiscovery) {
  const ExporterConfig config =
      ParseInConf("[[group]]\nname = \"g\"\ndestinations = [\"a\"]\n");
  EXPECT_EQ(config.state_dir, "");
  EXPECT_EQ(config.max_pairs, 100'000U);
  EXPECT_TRUE(config.allow_actions);
  EXPECT_EQ(config.history_memory, 64U << 20);
  EXPECT_EQ(config.history_lossy, 0.01);
  EXPECT_EQ(config.probe.max_continuous, 10'000U);
  const GroupConfig& group = config.groups.at(0);
  EXPECT_EQ(group.name_addresses, NameAddresses::kFirst);
  EXPECT_FALSE(group.exclude_self);
  EXPECT_EQ(group.neighbours, 0U);
  EXPECT_EQ(config.modules.at("icmp").mode, ModuleConfig::Mode::kOnDemand);
}

TEST(ConfigDiscoveryTest, LabelsMayHaveTheHostName) {
  const ExporterConfig config = ParseInConf(
      "[[group]]\nname = \"g\"\n"
      "labels = { agent = \"{hostname}\", b = \"{{hostname}}{hostname}\" }\n"
      "destinations = [{ target = \"a\", labels = { c = \"x{hostname}\" } }]\n",
      {.hostname = "n1"});
  EXPECT_EQ(config.groups.at(0).labels,
            (Labels{{"agent", "n1"}, {"b", "{n1}n1"}}));
  EXPECT_EQ(config.groups[0].destinations.at(0).labels, (Labels{{"c", "xn1"}}));
}

TEST(ConfigDiscoveryTest, ReadsContinuousModules) {
  const ExporterConfig config = ParseInConf(R"(
[modules.watch]
mode = "continuous"
[modules.slow]
mode = "continuous"
interval = "1h"
keep = "24h"
[modules.once]
mode = "on_demand"
[probe]
max_continuous = 0
)");
  const ModuleConfig& watch = config.modules.at("watch");
  EXPECT_EQ(watch.mode, ModuleConfig::Mode::kContinuous);
  EXPECT_EQ(watch.interval, seconds(1));
  EXPECT_EQ(watch.keep, minutes(5));
  EXPECT_EQ(config.modules.at("slow").interval, hours(1));
  EXPECT_EQ(config.modules.at("slow").keep, hours(24));
  EXPECT_EQ(config.modules.at("once").mode, ModuleConfig::Mode::kOnDemand);
  EXPECT_EQ(config.probe.max_continuous, 0U);
  ExpectSameWhenReadBack(config);
}

TEST(ConfigDiscoveryTest, ReadsWhatTheStatusPageMay) {
  const ExporterConfig config = ParseInConf(
      "[web]\nallow_actions = false\n[history]\nmemory = \"1536KiB\"\n"
      "lossy = 1\n");
  EXPECT_FALSE(config.allow_actions);
  EXPECT_EQ(config.history_memory, 1536U << 10);
  EXPECT_EQ(config.history_lossy, 1);
  ExpectSameWhenReadBack(config);
  EXPECT_EQ(ParseInConf("[history]\nmemory = \"0\"\n").history_memory, 0U);
}

TEST(ConfigDiscoveryTest, WarnsOfSecretsThatTravelInTheClear) {
  const std::string text =
      "[[group]]\nname = \"g\"\n[[group.http_sd]]\nurl = \"http://a/\"\n";
  EXPECT_EQ(ParseInConf(text).warnings, Strings());
  EXPECT_EQ(ParseInConf(text + "bearer_token_file = \"t\"\n").warnings,
            (Strings{"conf/f.toml:5:21: group \"g\": http_sd: over http:// "
                     "whoever is on the way can read the secret; use "
                     "https://"}));
}

}  // namespace
}  // namespace echo_exporter
