#include "src/probe/target_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ProbeConfig Allowing(const std::vector<std::string>& prefixes,
                     const std::vector<std::string>& globs) {
  ProbeConfig config;
  for (const std::string& prefix : prefixes) {
    config.allowed_prefixes.push_back(*IpPrefix::Parse(prefix));
  }
  config.allowed_name_globs = globs;
  return config;
}

TEST(MatchesGlobTest, MatchesTheWholeText) {
  EXPECT_TRUE(MatchesGlob("a.example.net", "a.example.net"));
  EXPECT_FALSE(MatchesGlob("a.example.net", "a.example.net.evil.org"));
  EXPECT_FALSE(MatchesGlob("a.example.net", "evil.a.example.net"));
  EXPECT_FALSE(MatchesGlob("", "a"));
  EXPECT_TRUE(MatchesGlob("", ""));
}

TEST(MatchesGlobTest, TakesAStarForAnyTextAlsoNone) {
  EXPECT_TRUE(MatchesGlob("*", ""));
  EXPECT_TRUE(MatchesGlob("*", "anything at all"));
  EXPECT_TRUE(MatchesGlob("*.example.net", "a.b.example.net"));
  EXPECT_TRUE(MatchesGlob("*.example.net", ".example.net"));
  EXPECT_FALSE(MatchesGlob("*.example.net", "example.net"));
  EXPECT_FALSE(MatchesGlob("*.example.net", "aexample.net"));
  EXPECT_TRUE(MatchesGlob("dns*.example.*", "dns7.example.org"));
  EXPECT_TRUE(MatchesGlob("**a**", "a"));
  EXPECT_TRUE(MatchesGlob("a*b*c", "abbc-b-c"));
  EXPECT_FALSE(MatchesGlob("a*b*c", "abbc-b-"));
}

TEST(MatchesGlobTest, IgnoresTheCaseOfLettersOnBothSides) {
  EXPECT_TRUE(MatchesGlob("*.Example.NET", "A.eXample.net"));
  EXPECT_FALSE(MatchesGlob("@", "`"));  // differ as letters' cases do
}

TEST(MatchesGlobTest, GivesNoOtherCharacterAMeaning) {
  EXPECT_FALSE(MatchesGlob("a?c", "abc"));
  EXPECT_FALSE(MatchesGlob("[ab]", "a"));
  EXPECT_FALSE(MatchesGlob("a.c", "abc"));
  EXPECT_TRUE(MatchesGlob("a*", "a*"));
}

TEST(MatchesGlobTest, EndsSoonOnHostileInput) {
  std::string glob;
  for (int i = 0; i < 100; ++i) glob += "a*";
  EXPECT_FALSE(MatchesGlob(glob + "b", std::string(255, 'a')));
}

TEST(ClassifyTargetTest, AllowsAnyTargetWhenNothingIsConfigured) {
  EXPECT_EQ(ClassifyTarget({}, "192.0.2.1"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget({}, "a.example.net"), TargetVerdict::kAllowed);
}

TEST(ClassifyTargetTest, JudgesAnAddressByThePrefixes) {
  const auto config = Allowing({"192.0.2.0/24", "2001:db8::/32"}, {});
  EXPECT_EQ(ClassifyTarget(config, "192.0.2.255"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "192.0.3.0"), TargetVerdict::kRefused);
  EXPECT_EQ(ClassifyTarget(config, "2001:db8::1"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "2001:db9::1"), TargetVerdict::kRefused);
  // Not the same address, whatever its last bytes say.
  EXPECT_EQ(ClassifyTarget(config, "::ffff:192.0.2.1"),
            TargetVerdict::kRefused);
}

TEST(ClassifyTargetTest, JudgesANameByTheGlobsFirst) {
  const auto config = Allowing({"192.0.2.0/24"}, {"*.example.net"});
  EXPECT_EQ(ClassifyTarget(config, "a.EXAMPLE.net"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "a.example.org"),
            TargetVerdict::kDependsOnAddress);
}

TEST(ClassifyTargetTest, RefusesOtherNamesWhenNoAddressIsAllowed) {
  const auto config = Allowing({}, {"*.example.net"});
  EXPECT_EQ(ClassifyTarget(config, "a.example.org"), TargetVerdict::kRefused);
  EXPECT_EQ(ClassifyTarget(config, "192.0.2.1"), TargetVerdict::kRefused);
}

TEST(ClassifyTargetTest, TakesNoAddressForAName) {
  const auto config = Allowing({}, {"fd*", "*e"});
  EXPECT_EQ(ClassifyTarget(config, "fd-server"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "fd00::1"), TargetVerdict::kRefused);
  EXPECT_EQ(ClassifyTarget(config, "2001:db8::e"), TargetVerdict::kRefused);
  EXPECT_EQ(ClassifyTarget(Allowing({}, {"*"}), "fd00::1"),
            TargetVerdict::kAllowed);
}

TEST(ClassifyTargetTest, AllowsTheDestinationsOfGroupsAndNothingElse) {
  ProbeConfig config;
  config.allow_destinations = true;
  EXPECT_EQ(ClassifyTarget(config, "192.0.2.1"), TargetVerdict::kRefused);
  EXPECT_EQ(ClassifyTarget(config, "dns.example.net"), TargetVerdict::kRefused);
  config.destinations = {"dns.example.net", "2001:db8::1"};
  EXPECT_EQ(ClassifyTarget(config, "DNS.example.net"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "2001:DB8:0::1"), TargetVerdict::kAllowed);
  EXPECT_EQ(ClassifyTarget(config, "2001:db8::2"), TargetVerdict::kRefused);
}

SourceConfig NamedAddress(const std::string& name, const std::string& address) {
  return {.name = name,
          .kind = SourceConfig::Kind::kAddress,
          .address = Address(address),
          .interface_name = ""};
}

SourceConfig NamedAdapter(const std::string& name, const std::string& adapter) {
  return {.name = name,
          .kind = SourceConfig::Kind::kInterface,
          .address = {},
          .interface_name = adapter};
}

TEST(AllowsSourceTest, AllowsAnySourceWhenNothingIsConfigured) {
  EXPECT_TRUE(AllowsSource({}, {}));
  EXPECT_TRUE(AllowsSource({}, NamedAddress("192.0.2.1", "192.0.2.1")));
}

TEST(AllowsSourceTest, JudgesBySpellingAdapterOrAddress) {
  ProbeConfig config;
  config.allowed_source_names = {"wan1", "Ethernet 2"};
  config.allowed_source_prefixes = {*IpPrefix::Parse("10.0.0.0/8")};
  EXPECT_TRUE(AllowsSource(config, NamedAddress("wan1", "192.0.2.1")));
  EXPECT_TRUE(AllowsSource(config, NamedAdapter("wan2", "Ethernet 2")));
  EXPECT_TRUE(AllowsSource(config, NamedAddress("10.1.2.3", "10.1.2.3")));
  EXPECT_TRUE(AllowsSource(config, NamedAddress("lan", "10.1.2.3")));
  // The address of wan1, but not written as its name.
  EXPECT_FALSE(AllowsSource(config, NamedAddress("192.0.2.1", "192.0.2.1")));
  EXPECT_FALSE(AllowsSource(config, NamedAdapter("wan3", "Ethernet 3")));
  EXPECT_FALSE(AllowsSource(config, {}));  // "auto"
}

TEST(AllowsSourceTest, JudgesBothAddressesOfASource) {
  ProbeConfig config;
  config.allowed_source_prefixes = {*IpPrefix::Parse("10.0.0.0/8")};
  SourceConfig source = NamedAddress("lan", "10.1.2.3");
  source.other_address = Address("2001:db8::3");
  EXPECT_FALSE(AllowsSource(config, source));
  config.allowed_source_prefixes.push_back(*IpPrefix::Parse("2001:db8::/32"));
  EXPECT_TRUE(AllowsSource(config, source));
}

TEST(AllowedAddressesTest, KeepsThoseInAPrefixInOrder) {
  const auto config = Allowing({"192.0.2.0/24", "2001:db8::/32"}, {"*.net"});
  EXPECT_THAT(
      AllowedAddresses(config, {Address("2001:db8::1"), Address("10.0.0.1"),
                                Address("192.0.2.7")}),
      ElementsAre(Address("2001:db8::1"), Address("192.0.2.7")));
  EXPECT_THAT(AllowedAddresses(config, {Address("10.0.0.1")}), IsEmpty());
  EXPECT_THAT(AllowedAddresses(config, {}), IsEmpty());
}

}  // namespace
}  // namespace echo_exporter
