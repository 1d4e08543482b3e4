#include "echo_exporter/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/sanitizers.h"
#include "tests/support/source_file.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

/// The configuration in `text`, which must be a good one.
ExporterConfig Parse(std::string_view text) {
  ConfigOutcome outcome = ParseConfig(text, "f.toml");
  EXPECT_EQ(outcome.errors, ConfigErrors());
  return outcome.config.value_or(ExporterConfig());
}

/// "source destination" of every pair of the configuration.
Strings Pairs(const ExporterConfig& config) {
  Strings pairs;
  for (const PairConfig& pair : config.pairs) {
    const GroupConfig& group = config.groups[pair.group];
    pairs.push_back(group.sources[pair.source].name + ' ' +
                    group.destinations[pair.destination].name);
  }
  return pairs;
}

/// Every key, away from its default.
constexpr std::string_view kFull = R"(
[web]
listen_addresses = ["127.0.0.1:9000", "[::1]:0", ":80", "localhost:81"]
[defaults]
interval = "250ms"
timeout = "3s"
payload_size = 1000
ttl = 64
dont_fragment = true
ip_version = "4"
flow = "fresh"
flow_renew_after = 0
outage_after = 1
dns_refresh = "5m"
[metrics]
rtt_buckets = [0.001, 1, 2.5]
native_factor = 1.5
native_max_buckets = 10
omit = ["icmp_echo_jitter_seconds", "icmp_echo_rtt_seconds"]
[engine]
max_in_flight = 10
[sources]
wan1 = "192.0.2.10"
"wan 2" = { interface = "Ethernet \"2\"" }
[[group]]
name = "inherits"
destinations = ["192.0.2.1"]
[[group]]
name = "overrides"
sources = ["wan 2", "auto", "2001:db8::7"]
destinations = ["dns.example.net", "2001:db8::1"]
labels = { site = "fra\n\"1\"", a = "" }
interval = "1h"
timeout = "1ms"
payload_size = 0
ttl = 255
dont_fragment = false
ip_version = "6"
flow = "steady"
flow_renew_after = 1000000
outage_after = 1000
dns_refresh = "24h"
[modules.icmp]
payload_size = 65500
source = "wan1"
[modules."big one"]
timeout = "60s"
ip_version = "6"
[probe]
max_concurrent = 1
allowed_targets = ["10.0.0.0/8", "*.example.net", "2001:db8::1", "*"]
allowed_sources = ["wan1", "10.0.0.0/8", "Ethernet \"2\"", "auto", "2001:db8::7"]
requests_per_second = 0.5
burst = 3
)";

TEST(ConfigTest, FillsInTheDefaults) {
  const ExporterConfig config = Parse("");
  ASSERT_EQ(config.listen_addresses.size(), 1U);
  EXPECT_EQ(config.listen_addresses[0].host, "0.0.0.0");
  EXPECT_EQ(config.listen_addresses[0].port, 10115);
  ASSERT_EQ(config.histograms.rtt_buckets.size(), 16U);
  EXPECT_EQ(config.histograms.rtt_buckets.front(), 0.00005);
  EXPECT_EQ(config.histograms.rtt_buckets.back(), 1.6384);
  EXPECT_EQ(config.histograms.native_factor, 1.1);
  EXPECT_EQ(config.histograms.native_max_buckets, 160U);
  EXPECT_TRUE(config.omit.none());
  EXPECT_EQ(config.max_in_flight, 4096U);
  EXPECT_TRUE(config.groups.empty());
  EXPECT_TRUE(config.pairs.empty());
  ASSERT_EQ(config.modules.size(), 1U);
  const ModuleConfig& module = config.modules.at("icmp");
  EXPECT_EQ(module.echo.timeout, seconds(2));
  EXPECT_EQ(module.source.kind, SourceConfig::Kind::kAuto);
  EXPECT_EQ(config.probe.max_concurrent, 64U);
  EXPECT_EQ(config.probe.requests_per_second, 0);
  EXPECT_TRUE(config.warnings.empty());
}

TEST(ConfigTest, BucketsEndWhereTheLongestTimeoutEnds) {
  const auto last_bound = [](const std::string& timeout) {
    return Parse("[defaults]\ntimeout = \"" + timeout +
                 "\"\n[[group]]\nname = \"g\"\ndestinations = [\"a\"]\n"
                 "[[group]]\nname = \"h\"\ndestinations = [\"a\"]\n"
                 "timeout = \"10ms\"\n")
        .histograms.rtt_buckets.back();
  };
  EXPECT_EQ(last_bound("1ms"), 0.0128);
  EXPECT_EQ(last_bound("100ms"), 0.1024);
  EXPECT_EQ(last_bound("60s"), 104.8576);
  // Of a continuous module, not of a probe.
  const std::string modules =
      "[modules.icmp]\ntimeout = \"60s\"\n[modules.lan]\ntimeout = \"3s\"\n";
  const auto last_bound_of = [](const std::string& toml) {
    return Parse(toml).histograms.rtt_buckets.back();
  };
  EXPECT_EQ(last_bound_of(modules), 1.6384);
  EXPECT_EQ(last_bound_of(modules + "mode = \"continuous\"\n"), 3.2768);
}

TEST(ConfigTest, ASourceMayHaveOneAddressOfEachIpVersion) {
  const ExporterConfig config = Parse(R"(
[sources]
both = ["192.0.2.10", "2001:db8::10"]
[[group]]
name = "g"
sources = ["both"]
destinations = ["192.0.2.1", "2001:db8::1", "dns.example.net"]
)");
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_EQ(config.pairs.size(), 3U);
  const SourceConfig& source = config.sources.at("both");
  EXPECT_EQ(source.address, IpAddress::Parse("192.0.2.10"));
  EXPECT_EQ(source.other_address, IpAddress::Parse("2001:db8::10"));
}

TEST(ConfigTest, ProbesMayBeLimitedToTheDestinations) {
  const std::string groups =
      "[[group]]\nname = \"g\"\n"
      "destinations = [\"DNS.example.net\", \"2001:DB8::1\", "
      "\"10.0.0.0/30\"]\n[probe]\nenabled = false\n";
  EXPECT_TRUE(Parse(groups).probe.destinations.empty());
  EXPECT_FALSE(Parse(groups).probe.enabled);
  const ProbeConfig probe = Parse(groups + "allow_destinations = true").probe;
  EXPECT_THAT(probe.destinations,
              testing::UnorderedElementsAre("dns.example.net", "2001:db8::1",
                                            "10.0.0.1", "10.0.0.2"));
}

TEST(ConfigTest, HistogramsMayHaveNoBuckets) {
  const ExporterConfig config =
      Parse("[metrics]\nrtt_buckets = []\nnative_factor = \"off\"");
  EXPECT_TRUE(config.histograms.rtt_buckets.empty());
  EXPECT_FALSE(config.histograms.native_factor);
}

TEST(ConfigTest, ReadsEveryKey) {
  const ExporterConfig config = Parse(kFull);
  ASSERT_EQ(config.listen_addresses.size(), 4U);
  EXPECT_EQ(config.listen_addresses[1].host, "::1");
  EXPECT_EQ(config.listen_addresses[1].port, 0);
  EXPECT_EQ(config.listen_addresses[2].host, "");
  EXPECT_EQ(config.histograms.rtt_buckets,
            (std::vector<double>{0.001, 1, 2.5}));
  EXPECT_EQ(config.histograms.native_factor, 1.5);
  EXPECT_EQ(config.histograms.native_max_buckets, 10U);
  EXPECT_EQ(config.omit.count(), 2U);
  EXPECT_TRUE(config.omit[IndexOf(PairFamily::kJitter)]);
  EXPECT_TRUE(config.omit[IndexOf(PairFamily::kRtt)]);
  EXPECT_EQ(config.max_in_flight, 10U);
  ASSERT_EQ(config.sources.size(), 2U);
  EXPECT_EQ(config.sources.at("wan1").address.ToString(), "192.0.2.10");
  EXPECT_EQ(config.sources.at("wan 2").kind, SourceConfig::Kind::kInterface);
  EXPECT_EQ(config.sources.at("wan 2").interface_name, "Ethernet \"2\"");

  ASSERT_EQ(config.groups.size(), 2U);
  const GroupConfig& group = config.groups[1];
  EXPECT_EQ(group.name, "overrides");
  EXPECT_EQ(group.interval, minutes(60));
  EXPECT_EQ(group.dns_refresh, minutes(24 * 60));
  EXPECT_EQ(group.echo.timeout, milliseconds(1));
  EXPECT_EQ(group.echo.payload_size, 0);
  EXPECT_EQ(group.echo.ttl, 255);
  EXPECT_FALSE(group.echo.dont_fragment);
  EXPECT_EQ(group.echo.ip_version, IpPreference::kV6Only);
  EXPECT_EQ(group.labels, (Labels{{"a", ""}, {"site", "fra\n\"1\""}}));

  EXPECT_EQ(config.modules.at("icmp").echo.payload_size, 65500);
  EXPECT_EQ(config.modules.at("icmp").source.name, "wan1");
  EXPECT_EQ(config.modules.at("big one").echo.timeout, seconds(60));
  EXPECT_EQ(config.probe.max_concurrent, 1U);
  ASSERT_EQ(config.probe.allowed_prefixes.size(), 2U);
  EXPECT_EQ(config.probe.allowed_prefixes[1].ToString(), "2001:db8::1/128");
  EXPECT_EQ(config.probe.allowed_name_globs, (Strings{"*.example.net", "*"}));
  ASSERT_EQ(config.probe.allowed_source_prefixes.size(), 2U);
  EXPECT_EQ(config.probe.allowed_source_prefixes[1].ToString(),
            "2001:db8::7/128");
  EXPECT_EQ(config.probe.allowed_source_names,
            (Strings{"wan1", "Ethernet \"2\"", "auto"}));
  EXPECT_EQ(config.probe.requests_per_second, 0.5);
  EXPECT_EQ(config.probe.burst, 3U);
}

TEST(ConfigTest, GroupsTakeWhatTheyDoNotSayFromDefaults) {
  const ExporterConfig config = Parse(kFull);
  const GroupConfig& group = config.groups.at(0);
  EXPECT_EQ(group.interval, milliseconds(250));
  EXPECT_EQ(group.dns_refresh, minutes(5));
  EXPECT_EQ(group.echo.timeout, seconds(3));
  EXPECT_EQ(group.echo.payload_size, 1000);
  EXPECT_EQ(group.echo.ttl, 64);
  EXPECT_TRUE(group.echo.dont_fragment);
  EXPECT_EQ(group.echo.ip_version, IpPreference::kV4Only);
  ASSERT_EQ(group.sources.size(), 1U);
  EXPECT_EQ(group.sources[0].kind, SourceConfig::Kind::kAuto);
}

TEST(ConfigTest, ModulesTakeNothingFromDefaults) {
  const ModuleConfig module = Parse(kFull).modules.at("icmp");
  EXPECT_EQ(module.echo.timeout, seconds(2));
  EXPECT_EQ(module.echo.ttl, 128);
  EXPECT_FALSE(module.echo.dont_fragment);
}

TEST(ConfigTest, PairsAreTheProductInFileOrder) {
  const ExporterConfig config = Parse(R"(
[[group]]
name = "b"
sources = ["auto", "192.0.2.9"]
destinations = ["z.example", "192.0.2.4/30"]
[[group]]
name = "a"
destinations = ["192.0.2.5"]
)");
  EXPECT_EQ(Pairs(config),
            (Strings{"auto z.example", "auto 192.0.2.5", "auto 192.0.2.6",
                     "192.0.2.9 z.example", "192.0.2.9 192.0.2.5",
                     "192.0.2.9 192.0.2.6", "auto 192.0.2.5"}));
  EXPECT_EQ(config.pairs.back().group, 1U);
}

TEST(ConfigTest, KeepsNamesAsWritten) {
  const ExporterConfig config = Parse(
      "[[group]]\nname = \"g\"\nsources = [\"2001:DB8::9\"]\n"
      "destinations = [\"2001:DB8:0::1\", \"DNS.Example.Net.\"]\n");
  EXPECT_EQ(Pairs(config), (Strings{"2001:DB8::9 2001:DB8:0::1",
                                    "2001:DB8::9 DNS.Example.Net."}));
  EXPECT_EQ(config.groups[0].destinations[0].address->ToString(),
            "2001:db8::1");
}

TEST(ConfigTest, LeavesOutPairsOfDifferentIpVersionWithOneWarning) {
  const ExporterConfig config = Parse(R"(
[sources]
wan1 = "192.0.2.10"
wan2 = { interface = "Ethernet 2" }
[[group]]
name = "g"
sources = ["auto", "wan1", "wan2", "2001:db8::7"]
destinations = ["192.0.2.1", "2001:db8::1", "example.net"]
)");
  EXPECT_EQ(Pairs(config),
            (Strings{"auto 192.0.2.1", "auto 2001:db8::1", "auto example.net",
                     "wan1 192.0.2.1", "wan1 example.net", "wan2 192.0.2.1",
                     "wan2 2001:db8::1", "wan2 example.net",
                     "2001:db8::7 2001:db8::1", "2001:db8::7 example.net"}));
  EXPECT_EQ(config.warnings,
            (Strings{"f.toml:8:16: group \"g\": 2 of 12 pairs are omitted "
                     "because their IP versions differ, for example \"wan1\" "
                     "to \"2001:db8::1\""}));
}

TEST(ConfigTest, LeavesOutPairsThatTheGroupsIpVersionRulesOut) {
  const ExporterConfig config = Parse(R"(
[[group]]
name = "g"
ip_version = "6"
sources = ["auto", "192.0.2.10"]
destinations = ["192.0.2.1", "2001:db8::1", "example.net"]
)");
  EXPECT_EQ(Pairs(config), (Strings{"auto 2001:db8::1", "auto example.net"}));
  EXPECT_EQ(config.warnings.size(), 1U);
}

TEST(ConfigTest, ANameAndItsAddressAreDifferentSources) {
  const ExporterConfig config = Parse(
      "[sources]\nwan1 = \"192.0.2.10\"\n[[group]]\nname = \"g\"\n"
      "sources = [\"wan1\", \"192.0.2.10\"]\ndestinations = [\"a.example\"]\n");
  EXPECT_EQ(Pairs(config), (Strings{"wan1 a.example", "192.0.2.10 a.example"}));
}

TEST(ConfigTest, TakesAsManyProbesAtOnceAsTheServerServes) {
  EXPECT_EQ(Parse("[probe]\nmax_concurrent = 448\n").probe.max_concurrent,
            kMostConcurrentProbes);
  EXPECT_EQ(ParseConfig("[probe]\nmax_concurrent = 449\n", "f.toml").errors,
            (Strings{"f.toml:2:18: [probe]: max_concurrent must be from 1 to "
                     "448, not 449"}));
}

TEST(ConfigTest, ReadsZonesThatAreNamedByAnAdapter) {
  const ExporterConfig config = Parse(
      "[sources]\na = \"fe80::1%Ethernet 2\"\n[[group]]\n"
      "name = \"g\"\nsources = [\"a\", \"fe80::2%eth0\"]\n"
      "destinations = [\"fe80::3%eth0\", \"fe80::10%eth0/127\"]\n");
  EXPECT_EQ(config.warnings, Strings());
  const GroupConfig& group = config.groups.at(0);
  EXPECT_EQ(group.sources.at(0).zone, "Ethernet 2");
  EXPECT_EQ(group.sources.at(1).name, "fe80::2%eth0");
  EXPECT_EQ(group.sources.at(1).zone, "eth0");
  EXPECT_EQ(group.sources.at(1).address, IpAddress::Parse("fe80::2"));
  ASSERT_EQ(group.destinations.size(), 3U);
  for (const char* const name :
       {"fe80::3%eth0", "fe80::10%eth0", "fe80::11%eth0"}) {
    const auto found =
        std::ranges::find(group.destinations, name, &DestinationConfig::name);
    ASSERT_NE(found, group.destinations.end()) << name;
    EXPECT_EQ(found->zone, "eth0");
  }
  EXPECT_EQ(ConfigToToml(Parse(ConfigToToml(config))), ConfigToToml(config));
}

TEST(ConfigTest, ReadsInternationalisedNames) {
  const ExporterConfig config = Parse(
      "[[group]]\nname = \"g\"\n"
      "destinations = [\"b\u00fccher.example\", \"a.example\"]\n");
  const auto& destinations = config.groups.at(0).destinations;
  EXPECT_EQ(destinations.at(0).name, "b\u00fccher.example");
  EXPECT_EQ(destinations.at(0).ascii_name, "xn--bcher-kva.example");
  EXPECT_EQ(destinations.at(1).ascii_name, "");
  const auto twice = ParseConfig(
      "[[group]]\nname = \"g\"\n"
      "destinations = [\"B\u00dcCHER.example\", \"xn--bcher-kva.example\"]\n",
      "f.toml");
  ASSERT_EQ(twice.errors.size(), 1U);
  EXPECT_NE(twice.errors[0].find("is a duplicate of"), std::string::npos);
}

TEST(ConfigTest, ReadsThePreferredIpVersion) {
  const ExporterConfig config = Parse(
      "[defaults]\nip_version = \"prefer4\"\n"
      "[[group]]\nname = \"g\"\ndestinations = [\"a\", \"::1\"]\n"
      "[[group]]\nname = \"h\"\ndestinations = [\"a\"]\n"
      "ip_version = \"prefer6\"\n");
  EXPECT_EQ(config.groups.at(0).echo.ip_version, IpPreference::kPreferV4);
  EXPECT_EQ(config.groups.at(1).echo.ip_version, IpPreference::kPreferV6);
  EXPECT_EQ(config.pairs.size(), 3U);
  EXPECT_EQ(ConfigToToml(Parse(ConfigToToml(config))), ConfigToToml(config));
}

TEST(ConfigTest, WarnsOfLinkLocalAddressesWithoutZone) {
  const ExporterConfig config = Parse(
      "[sources]\na = \"fe80::1\"\nb = \"fe80::1%4\"\n[[group]]\n"
      "name = \"g\"\nsources = [\"a\", \"fe80::2\"]\n"
      "destinations = [\"fe80::3\", \"fe80::4%4\", \"fe80::10/127\"]\n");
  ASSERT_EQ(config.warnings.size(), 4U);
  EXPECT_EQ(config.warnings[0],
            "f.toml:2:5: [sources]: \"a\": \"fe80::1\" is link-local; add "
            "the name or the number of its adapter, as in \"fe80::1%eth0\" "
            "or \"fe80::1%3\"");
  EXPECT_TRUE(config.warnings[1].starts_with(
      "f.toml:6:17: group \"g\": sources: \"fe80::2\" is link-local"));
  EXPECT_TRUE(config.warnings[2].starts_with("f.toml:7:17: "));
  EXPECT_TRUE(config.warnings[3].starts_with("f.toml:7:41: "));
}

TEST(ConfigTest, WarnsOfPairsThatLookLikeThoseOfAGroup) {
  const std::string group =
      "[[group]]\nname = \"lan\"\ndestinations = [\"192.0.2.1\"]\n";
  EXPECT_EQ(Parse(group + "[modules.lan]\n").warnings, Strings());
  EXPECT_EQ(
      Parse(group + "[modules.lan]\nmode = \"continuous\"\n").warnings,
      Strings{"f.toml:4:10: module \"lan\": a group has the same name; where "
              "both probe a destination from the same source, the status page "
              "and Prometheus take the two for one pair"});
}

TEST(ConfigTest, WarnsOfPayloadsThatMayNotBeFragmentedButMust) {
  const ExporterConfig config = Parse(
      "[defaults]\ndont_fragment = true\npayload_size = 1472\n"
      "[[group]]\nname = \"fits\"\ndestinations = [\"192.0.2.1\"]\n"
      "[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.1\"]\n"
      "payload_size = 1473\n");
  EXPECT_EQ(
      config.warnings,
      (Strings{"f.toml:10:16: group \"g\": payload_size 1473 with "
               "dont_fragment does not fit the usual MTU of 1500 bytes"}));
}

TEST(ConfigTest, TakesPrefixesOf65536HostsAndAMillionPairs) {
  constexpr unsigned kBits = kSanitizers ? 12 : 16;
  constexpr std::size_t kHosts = std::size_t{1} << kBits;
  const std::string v4 = std::to_string(32 - kBits);
  const ExporterConfig config = Parse(
      "[[group]]\nname = \"g\"\nsources = [\"auto\", \"192.0.2.1\", "
      "\"192.0.2.2\", \"192.0.2.3\", \"192.0.2.4\", \"192.0.2.5\", "
      "\"192.0.2.6\"]\ndestinations = [\"10.1.0.0/" +
      v4 + "\", \"10.2.0.0/" + v4 +
      "\"]\n[[group]]\nname = \"h\"\ndestinations = [\"2001:db8::/" +
      std::to_string(128 - kBits) + "\"]\n");
  EXPECT_EQ(config.pairs.size(), 14 * (kHosts - 2) + (kHosts - 1));
  EXPECT_EQ(config.groups[0].destinations[kHosts - 2].name, "10.2.0.1");
}

TEST(ConfigTest, TakesWindowsLineEndsAndAByteOrderMark) {
  const ExporterConfig config =
      Parse("\xef\xbb\xbf[engine]\r\nmax_in_flight = 7\r\n");
  EXPECT_EQ(config.max_in_flight, 7U);
}

TEST(ConfigTest, TakesAnyTextInStringsAndComments) {
  const ExporterConfig config = Parse(
      "# \u00fc\n[[group]]\nname = '\u00fc \"'\ndestinations = [\"a.b\"]\n"
      "labels.a = \"\"\"\u00fc # \\\" \"\"\"\"\"  # \u00fc\n"
      "labels.b = '''\n\u00fc\\'''\n"
      "labels.c = \"\\u00fc\\\\\"\nlabels.d = ''  # \u00fc\n"
      "labels.e = \"\"\"x \\\n  y\"\"\"\n");
  EXPECT_EQ(config.groups.at(0).name, "\u00fc \"");
  EXPECT_EQ(config.groups.at(0).labels, (Labels{{"a", "\u00fc # \" \"\""},
                                                {"b", "\u00fc\\"},
                                                {"c", "\u00fc\\"},
                                                {"d", ""},
                                                {"e", "x y"}}));
}

TEST(ConfigTest, SurvivesPathologicalNesting) {
  std::string dotted_key = "a";
  for (int i = 0; i < 100'000; ++i) dotted_key += ".a";
  std::string nested;
  std::string long_key = "a";
  for (int i = 0; i < 255; ++i) long_key += ".a";
  for (int i = 0; i < 7; ++i) nested += long_key + " = { ";
  nested += long_key + " = 1" + std::string(7, '}');
  for (const std::string& text :
       {dotted_key + " = 1", '[' + dotted_key + ']', nested,
        "a = " + std::string(100'000, '['), std::string(100'000, '[')}) {
    const ConfigOutcome outcome = ParseConfig(text, "f.toml");
    EXPECT_FALSE(outcome.config);
    EXPECT_EQ(outcome.errors.size(), 1U);
  }
}

TEST(ConfigTest, AFindingIsOneLineOfPrintableText) {
  EXPECT_EQ(
      ParseConfig("\"x\\nf.toml:9:9: forged\\u007f\" = 1", "f.toml").errors,
      (Strings{"f.toml:1:1: unknown key "
               "\"x\\u000af.toml:9:9: forged\\u007f\"; allowed here: "
               "defaults, discovery, engine, group, history, include, metrics, "
               "modules, probe, sources, web"}));
  // The parser itself quotes keys as they are.
  const ConfigErrors errors =
      ParseConfig("'a\tb' = 1\n'a\tb' = 2", "f.toml").errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].find("\\u0009") != std::string::npos) << errors[0];
  EXPECT_TRUE(errors[0].find('\t') == std::string::npos) << errors[0];
}

TEST(ConfigTest, WarnsWhenSilenceWouldKeepRequestsFromBeingSent) {
  // A second's timeout and 300 ms between: four in flight from each of 2.
  const std::string group =
      "[defaults]\ninterval = \"300ms\"\n"
      "[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.0/31\"]\n";
  EXPECT_EQ(Parse("[engine]\nmax_in_flight = 8\n" + group).warnings, Strings());
  EXPECT_EQ(Parse("[engine]\nmax_in_flight = 7\n" + group).warnings,
            (Strings{"f.toml:1:1: if no destination replied, 8 requests would "
                     "be in flight, but engine.max_in_flight is 7; requests "
                     "beyond it would not be sent"}));
}

TEST(ConfigTest, LetsHalfAsManyAgainBeInFlightAsInSilence) {
  const auto parse = [](const std::string& defaults, std::uint32_t most) {
    const ConfigOutcome outcome =
        ParseConfig("[defaults]\n" + defaults +
                        "[[group]]\nname = \"g\"\n"
                        "destinations = [\"10.0.0.0/20\"]\n",
                    "f.toml", {.max_in_flight = most});
    EXPECT_TRUE(outcome.config);
    return *outcome.config;
  };
  // 4,094 pairs with one request each.
  ExporterConfig config = parse("timeout = \"1s\"\n", 1'000'000);
  EXPECT_EQ(config.max_in_flight, 6141U);
  EXPECT_TRUE(config.max_in_flight_is_default);
  // With three each, the third of which overlaps only a little.
  config = parse("timeout = \"2001ms\"\n", 1'000'000);
  EXPECT_EQ(config.max_in_flight, 3 * 6141U);
  EXPECT_EQ(config.warnings, Strings());
  // As many as the system can keep apart.
  config = parse("timeout = \"2001ms\"\n", 12'283);
  EXPECT_EQ(config.max_in_flight, 12'283U);
  EXPECT_EQ(config.warnings, Strings());
  config = parse("timeout = \"2001ms\"\n", 12'281);
  EXPECT_EQ(config.max_in_flight, 12'281U);
  EXPECT_EQ(config.warnings.size(), 1U);
}

TEST(ConfigTest, WarnsOfATypeOfServiceThatTheSystemIgnores) {
  const std::string text =
      "[defaults]\ntos = 184\n"
      "[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.1\"]\n"
      "[modules.m]\ntos = 8\n";
  EXPECT_EQ(Parse(text).warnings, Strings());
  const ConfigOutcome outcome =
      ParseConfig(text, "f.toml", {.sets_tos = false});
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->groups[0].echo.tos, 184);
  EXPECT_EQ(outcome.config->warnings,
            (Strings{"f.toml:3:1: group \"g\": tos 184 is ignored: on "
                     "this operating system a program cannot set the type of "
                     "service of echo requests",
                     "f.toml:7:7: module \"m\": tos 8 is ignored: on "
                     "this operating system a program cannot set the type of "
                     "service of echo requests"}));
}

TEST(ConfigTest, CapsTheRequestsInFlightAtWhatTheSystemServes) {
  const std::string text = "[engine]\nmax_in_flight = 60001\n";
  const ConfigOutcome capped =
      ParseConfig(text, "f.toml", {.max_in_flight = 60'000});
  ASSERT_TRUE(capped.config);
  EXPECT_EQ(capped.config->max_in_flight, 60'000U);
  EXPECT_FALSE(capped.config->max_in_flight_is_default);
  EXPECT_EQ(capped.config->warnings,
            (Strings{"f.toml:2:17: [engine]: max_in_flight counts as 60000: on "
                     "this operating system no more requests can be in "
                     "flight"}));
  const ConfigOutcome served =
      ParseConfig(text, "f.toml", {.max_in_flight = 60'001});
  EXPECT_EQ(served.config->max_in_flight, 60'001U);
  EXPECT_EQ(served.config->warnings, Strings());
}

// Half a second more than the timeout, in which each of 2 pairs sends 4.
TEST(ConfigTest, WarnsOfMoreRequestsInFlightThanTheSystemServes) {
  const std::string text =
      "[[group]]\nname = \"g\"\ninterval = \"500ms\"\ntimeout = \"1500ms\"\n"
      "destinations = [\"192.0.2.0/31\"]\n";
  const std::string eight = "[engine]\nmax_in_flight = 8\n";
  EXPECT_EQ(ParseConfig(eight + text, "f.toml", {.max_in_flight = 8})
                .config->warnings,
            Strings());
  const Strings warnings = ParseConfig("[engine]\nmax_in_flight = 7\n" + text,
                                       "f.toml", {.max_in_flight = 7})
                               .config->warnings;
  EXPECT_EQ(warnings,
            (Strings{"f.toml:3:1: if no destination replied, 8 requests would "
                     "be in flight, but on this operating system at most 7 "
                     "can be: use longer intervals or shorter timeouts"}));
}

TEST(ConfigTest, ReadsWhichFlowRequestsBelongTo) {
  const ExporterConfig defaults =
      Parse("[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.1\"]\n");
  EXPECT_EQ(defaults.groups[0].echo.flow, FlowPolicy::kSteady);
  EXPECT_EQ(defaults.groups[0].flow_renew_after, 3U);
  EXPECT_EQ(defaults.modules.at("icmp").echo.flow, FlowPolicy::kSteady);

  const ExporterConfig config = Parse(kFull);
  EXPECT_EQ(config.groups[0].echo.flow, FlowPolicy::kFresh);
  EXPECT_EQ(config.groups[0].flow_renew_after, 0U);
  EXPECT_EQ(config.groups[1].echo.flow, FlowPolicy::kSteady);
  EXPECT_EQ(config.groups[1].flow_renew_after, 1'000'000U);
}

TEST(ConfigTest, ReadsHowManyLossesAreAnOutage) {
  EXPECT_EQ(Parse("[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.1\"]\n")
                .groups[0]
                .outage_after,
            3);
  const ExporterConfig config = Parse(kFull);
  EXPECT_EQ(config.groups[0].outage_after, 1);
  EXPECT_EQ(config.groups[1].outage_after, 1000);
}

TEST(ConfigTest, WarnsOfAFlowThatTheSystemIgnores) {
  const ConfigOutcome outcome =
      ParseConfig("[modules.m]\nflow = \"fresh\"\n[modules.n]\n", "f.toml",
                  {.sets_identifier = false});
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->warnings,
            (Strings{"f.toml:2:8: module \"m\": flow \"fresh\" is ignored: on "
                     "this operating system a program cannot set the "
                     "identifier of echo requests"}));
}

TEST(ConfigTest, LoadsAFileByItsUtf8Name) {
  const auto path = std::filesystem::path(testing::TempDir()) /
                    std::u8string(u8"echo_exporter-test-\u00fc.toml");
  std::ofstream(path) << "[engine]\nmax_in_flight = 0\n";
  const std::u8string utf8 = path.u8string();
  const std::string name(utf8.begin(), utf8.end());
  const ConfigOutcome outcome = ParseConfigFiles(ReadConfigFiles(name));
  EXPECT_EQ(outcome.errors,
            (Strings{name + ":2:17: [engine]: max_in_flight must be from 1 to "
                            "1000000, not 0"}));
  std::filesystem::remove(path);
}

TEST(ConfigTest, AFileThatCannotBeReadIsOneError) {
  EXPECT_EQ(ParseConfigFiles(ReadConfigFiles("no/such/file.toml")).errors,
            (Strings{"no/such/file.toml: reading the configuration: " +
                     std::generic_category().message(ENOENT)}));
  const ConfigOutcome directory =
      ParseConfigFiles(ReadConfigFiles(testing::TempDir()));
  EXPECT_EQ(directory.errors.size(), 1U);
  EXPECT_FALSE(directory.config);
}

TEST(ConfigTest, NamesAnEncodingThatIsNotUtf8) {
  using namespace std::string_view_literals;
  for (const auto& [text, encoding] :
       {std::pair("\xff\xfe[\0w\0"sv, "UTF-16"),
        std::pair("\xfe\xff\0[\0w"sv, "UTF-16"),
        std::pair("[\0w\0e\0"sv, "UTF-16"), std::pair("\0[\0w"sv, "UTF-16"),
        std::pair("\xff\xfe\0\0[\0\0\0"sv, "UTF-32"),
        std::pair("\0\0\xfe\xff\0\0\0["sv, "UTF-32")}) {
    EXPECT_EQ(ParseConfig(text, "f.toml").errors,
              (Strings{"f.toml:1:1: the text is in " + std::string(encoding) +
                       "; save it as UTF-8"}));
  }
}

TEST(ConfigTest, ReadsNoFileBeyondItsLimit) {
  const auto path = std::filesystem::path(testing::TempDir()) / "large.toml";
  std::ofstream(path) << "";
  std::filesystem::resize_file(path, kMaxConfigBytes + 1);
  EXPECT_EQ(ParseConfigFiles(ReadConfigFiles(path.string())).errors,
            (Strings{path.string() +
                     ": reading the configuration: the file is larger than "
                     "16777216 bytes"}));
  std::filesystem::remove(path);
}

TEST(ConfigTest, EveryFileInConfigLoadsWithoutWarning) {
  std::set<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SourcePath("config"))) {
    files.insert(entry.path().filename().string());
    const ConfigOutcome outcome =
        ParseConfigFiles(ReadConfigFiles(entry.path().string()));
    EXPECT_EQ(outcome.errors, ConfigErrors());
    ASSERT_TRUE(outcome.config);
    EXPECT_EQ(outcome.config->warnings, Strings());
    EXPECT_FALSE(outcome.config->pairs.empty());
  }
  EXPECT_TRUE(files.contains("echo_exporter.toml"));
  EXPECT_TRUE(files.contains("quickstart.toml"));
  EXPECT_TRUE(files.contains("sites.toml"));
}

TEST(ConfigTest, TheReferenceShowsTheDefaults) {
  ExporterConfig config = Parse(ReadSourceFile("config/echo_exporter.toml"));
  const GroupConfig& group = config.groups.at(0);
  EXPECT_EQ(std::tuple(group.dns_refresh, group.echo.timeout),
            std::tuple(GroupConfig().dns_refresh, EchoSettings().timeout));
  config.groups.clear();
  config.sources.clear();
  EXPECT_EQ(ConfigToToml(config), ConfigToToml(Parse("")));
}

TEST(ConfigTest, TheFirstSampleOfEachDocumentIsValid) {
  for (const char* const page :
       {"README.md", "docs/operations.md", "docs/discovery.md"}) {
    const std::string text = ReadSourceFile(page);
    const std::string fence = "```toml\n";
    const auto begin = text.find(fence);
    ASSERT_NE(begin, std::string::npos) << page;
    const auto sample = text.substr(begin + fence.size());
    const ExporterConfig config = Parse(sample.substr(0, sample.find("```")));
    EXPECT_FALSE(config.groups.empty()) << page;
  }
}

TEST(ConfigTest, TheQuickstartStaysOnThisMachine) {
  const ExporterConfig config = Parse(ReadSourceFile("config/quickstart.toml"));
  EXPECT_EQ(config.listen_addresses.at(0).host, "127.0.0.1");
  EXPECT_EQ(config.pairs.size(), 16U);
  const auto loopback = IpPrefix::Parse("127.0.0.0/8");
  for (const GroupConfig& group : config.groups) {
    for (const DestinationConfig& destination : group.destinations) {
      EXPECT_TRUE(loopback->Contains(destination.address.value()));
    }
  }
}

// As the README says.
TEST(ConfigTest, TheSitesAreThreeWithFourTargetsOverTwoUplinks) {
  const ExporterConfig config = Parse(ReadSourceFile("config/sites.toml"));
  EXPECT_EQ(config.listen_addresses.at(0).host, "127.0.0.1");
  EXPECT_EQ(config.groups.size(), 3U);
  EXPECT_EQ(config.pairs.size(), 24U);
  for (const GroupConfig& group : config.groups) {
    EXPECT_EQ(group.destinations.size(), 4U);
    EXPECT_EQ(std::ranges::count_if(group.destinations,
                                    [](const DestinationConfig& destination) {
                                      return destination.address->version() ==
                                             IpVersion::kV6;
                                    }),
              1);
    ASSERT_EQ(group.sources.size(), 2U);
    for (const SourceConfig& source : group.sources) {
      EXPECT_EQ(source.kind, SourceConfig::Kind::kInterface);
    }
  }
}

}  // namespace
}  // namespace echo_exporter
