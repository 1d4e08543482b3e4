#include "src/discovery/effective_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

IpAddress Address(const std::string& text) {
  return IpAddress::Parse(text).value();
}

class EffectiveConfigTest : public testing::Test {
 protected:
  EffectiveConfigTest() {
    GroupConfig& group = file_.groups.emplace_back();
    group.name = "g";
    group.sources = {SourceConfig()};
    group.file_sd.emplace_back();
    surroundings_.hostname = "me.example";
    surroundings_.addresses_of = [this](const std::string& name, Nanoseconds) {
      return addresses_[name];
    };
  }

  GroupConfig& group() { return file_.groups[0]; }

  /// A target of the configuration.
  void Configure(const std::string& name) {
    file_.pairs.push_back(
        {0, 0, static_cast<std::uint32_t>(group().destinations.size())});
    group().destinations.push_back(
        {.name = name, .address = IpAddress::Parse(name)});
  }

  void List(const std::string& name, const std::string& json) {
    auto list = ReadTargetList(json, name, TargetListFormat::kJson, false);
    ASSERT_TRUE(list.ok()) << list.error().message;
    kept_.push_back(std::make_unique<TargetList>(std::move(list).value()));
    lists_.push_back({0, kept_.back().get()});
  }

  EffectiveConfig Merge() const {
    return echo_exporter::Merge(file_, lists_, surroundings_);
  }

  /// "source>destination[@address] labels" of each pair.
  static std::vector<std::string> Pairs(const EffectiveConfig& effective) {
    std::vector<std::string> texts;
    for (const PairConfig& pair : effective.config.pairs) {
      const GroupConfig& group = effective.config.groups[pair.group];
      const DestinationConfig& destination =
          group.destinations.at(pair.destination);
      std::string text =
          group.sources.at(pair.source).name + '>' + destination.name;
      if (destination.address &&
          destination.address->ToString() != destination.name) {
        text += '@' + destination.address->ToString();
      }
      for (const auto& [name, value] : destination.labels) {
        text += ' ' + name + '=' + value;
      }
      texts.push_back(text);
    }
    return texts;
  }

  ExporterConfig file_;
  std::vector<std::unique_ptr<TargetList>> kept_;
  std::vector<ListInUse> lists_;
  Surroundings surroundings_;
  std::map<std::string, std::vector<IpAddress>> addresses_;
};

TEST_F(EffectiveConfigTest, AddsTheTargetsOfListsToTheGroup) {
  Configure("192.0.2.1");
  List("a", R"([{"targets": ["192.0.2.2", "h"], "labels": {"x": "1"}}])");
  List("b", R"([{"targets": ["192.0.2.3"]}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective),
              ElementsAre("auto>192.0.2.1", "auto>192.0.2.2 x=1", "auto>h x=1",
                          "auto>192.0.2.3"));
  EXPECT_THAT(effective.config.groups, SizeIs(1));
  EXPECT_THAT(effective.conflicts, IsEmpty());
}

TEST_F(EffectiveConfigTest, LeavesOtherGroupsAsTheyAre) {
  GroupConfig other;
  other.name = "other";
  other.sources = {SourceConfig(), SourceConfig()};
  other.destinations = {{.name = "192.0.2.9", .address = Address("192.0.2.9")}};
  file_.groups.insert(file_.groups.begin(), other);
  file_.groups.push_back(other);
  file_.pairs = {{0, 0, 0}, {0, 1, 0}, {2, 1, 0}};
  List("a", R"([{"targets": ["h"]}])");
  lists_[0].group = 1;
  EXPECT_THAT(Pairs(Merge()), ElementsAre("auto>192.0.2.9", "auto>192.0.2.9",
                                          "auto>h", "auto>192.0.2.9"));
}

TEST_F(EffectiveConfigTest, ATargetListedTwiceCountsOnce) {
  Configure("192.0.2.1");
  List("a", R"([{"targets": ["192.0.2.1", "Host", "2001:DB8::1"]},
                {"targets": ["host", "2001:db8::1"]}])");
  List("b", R"([{"targets": ["host", "192.0.2.1"]}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), ElementsAre("auto>192.0.2.1", "auto>Host",
                                            "auto>2001:DB8::1@2001:db8::1"));
  EXPECT_THAT(effective.conflicts, IsEmpty());
}

TEST_F(EffectiveConfigTest, TheFirstOfTwoWithDifferentLabelsCounts) {
  Configure("192.0.2.1");
  List("a", R"([{"targets": ["h", "192.0.2.1"], "labels": {"x": "1"}}])");
  List("b", R"([{"targets": ["h"], "labels": {"x": "2"}},
{"targets": ["H"], "labels": {"x": "1", "__echo_interval__": "9s"}}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), ElementsAre("auto>192.0.2.1", "auto>h x=1"));
  EXPECT_THAT(effective.conflicts,
              ElementsAre("group \"g\" of the configuration and a:1:20",
                          "a:1:15 and b:1:15", "a:1:15 and b:2:14"));
}

TEST_F(EffectiveConfigTest, TwoTargetsCannotShareADestinationLabel) {
  Configure("edge");
  group().destinations[0].ascii_name = "192.0.2.77.example";
  List("a", R"([{"targets": ["edge"]}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), ElementsAre("auto>edge"));
  EXPECT_THAT(effective.conflicts, SizeIs(1));
}

TEST_F(EffectiveConfigTest, SettingsOfTargetsMakeVariantsOfTheGroup) {
  group().interval = seconds(1);
  file_.sources["wan"] = {.name = "wan",
                          .kind = SourceConfig::Kind::kAddress,
                          .address = Address("198.51.100.1"),
                          .interface_name = ""};
  List("a", R"([
    {"targets": ["a", "b"], "labels": {"__echo_interval__": "5s"}},
    {"targets": ["c"]},
    {"targets": ["d"], "labels": {"__echo_interval__": "5s"}},
    {"targets": ["c"], "labels": {"__echo_source__": "wan",
       "__echo_timeout__": "2s", "__echo_payload_size__": "9"}},
    {"targets": ["e"], "labels": {"__echo_source__": "no such"}}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective),
              ElementsAre("auto>a", "auto>b", "auto>c", "auto>d", "wan>c"));
  ASSERT_THAT(effective.config.groups, SizeIs(3));
  for (const GroupConfig& variant : effective.config.groups) {
    EXPECT_EQ(variant.name, "g");
  }
  EXPECT_EQ(effective.config.groups[1].interval, seconds(5));
  EXPECT_THAT(effective.config.groups[1].destinations, SizeIs(3));
  EXPECT_EQ(effective.config.groups[2].echo.timeout, seconds(2));
  EXPECT_EQ(effective.config.groups[2].echo.payload_size, 9);
  EXPECT_EQ(effective.config.groups[2].interval, seconds(1));
  EXPECT_THAT(effective.rejected, ElementsAre(1));
  EXPECT_THAT(effective.rejections,
              ElementsAre(HasSubstr("a:7:18: __echo_source__: ")));
}

TEST_F(EffectiveConfigTest, RejectsWhatTheGroupCannotHave) {
  group().labels = {{"site", "fra"}};
  group().echo.ip_version = IpPreference::kV4Only;
  List("a", R"([{"targets": ["a", "b"], "labels": {"site": "ams"}},
                {"targets": ["2001:db8::1", "c"]}])");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), ElementsAre("auto>c"));
  EXPECT_THAT(effective.rejected, ElementsAre(3));
  EXPECT_THAT(effective.rejections, SizeIs(3));
}

TEST_F(EffectiveConfigTest, EachAddressOfANameIsADestination) {
  group().name_addresses = NameAddresses::kAll;
  addresses_["pods"] = {Address("192.0.2.2"), Address("2001:db8::1"),
                        Address("192.0.2.1")};
  List("a", R"([{"targets": ["pods", "unknown", "192.0.2.9"]}])");
  EXPECT_THAT(
      Pairs(Merge()),
      ElementsAre("auto>pods@192.0.2.1", "auto>pods@192.0.2.2",
                  "auto>pods@2001:db8::1", "auto>unknown", "auto>192.0.2.9"));
  group().echo.ip_version = IpPreference::kV6Only;
  group().exclude_self = true;
  surroundings_.own_addresses = {Address("2001:db8::1")};
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), ElementsAre("auto>unknown"));
  EXPECT_THAT(effective.rejected, ElementsAre(1));  // 192.0.2.9 alone
}

TEST_F(EffectiveConfigTest, ExcludesThisMachineByAddressAndName) {
  group().exclude_self = true;
  surroundings_.own_addresses = {Address("192.0.2.1"), Address("127.0.0.1")};
  addresses_["alias"] = {Address("192.0.2.1")};
  addresses_["me.other"] = {Address("192.0.2.200")};
  addresses_["other"] = {Address("192.0.2.201")};
  Configure("192.0.2.1");
  List("a", R"([{"targets": ["ME.example", "alias", "other", "me.other",
                             "127.0.0.1", "192.0.2.2", "me"]}])");
  // "me" does not resolve yet and may be this machine's.
  EXPECT_THAT(Pairs(Merge()),
              ElementsAre("auto>other", "auto>me.other", "auto>192.0.2.2"));
}

TEST_F(EffectiveConfigTest, TakesNeighboursOnlyAndNeverItself) {
  group().neighbours = 3;
  std::string targets = R"("me.example")";
  for (int i = 0; i < 50; ++i) {
    targets += ", \"t" + std::to_string(i) + ".example\"";
    addresses_["t" + std::to_string(i) + ".example"] = {Address("192.0.2.5")};
  }
  List("a", R"([{"targets": [)" + targets + "]}]");
  const EffectiveConfig effective = Merge();
  EXPECT_THAT(Pairs(effective), SizeIs(3));
  EXPECT_THAT(Pairs(effective),
              testing::Not(testing::Contains("auto>me.example")));
  EXPECT_THAT(effective.neighbours_skipped, ElementsAre(47));
}

// The place on the rings is that of the target, whatever the host calls itself.
TEST_F(EffectiveConfigTest, FindsItsPlaceAmongTheTargets) {
  group().neighbours = 2;
  surroundings_.own_addresses = {Address("10.0.0.7")};
  std::string targets = R"("10.0.0.7")";
  for (int i = 10; i < 90; ++i)
    targets += ", \"10.0.0." + std::to_string(i) + '"';
  List("a", R"([{"targets": [)" + targets + "]}]");
  const auto pairs = Pairs(Merge());
  surroundings_.hostname = "another-name";
  EXPECT_EQ(Pairs(Merge()), pairs);
}

TEST_F(EffectiveConfigTest, StopsBeyondTheMostPairs) {
  file_.max_pairs = 3;
  List("a", R"([{"targets": ["a", "b", "c"]}])");
  EXPECT_FALSE(Merge().too_many);
  List("b", R"([{"targets": ["d"]}])");
  EXPECT_TRUE(Merge().too_many);
}

TEST_F(EffectiveConfigTest, ProbeMayAskForWhatIsDiscovered) {
  file_.probe.allow_destinations = true;
  file_.probe.destinations = {"192.0.2.1"};
  List("a", R"([{"targets": ["Host", "2001:DB8::1"]}])");
  EXPECT_THAT(Merge().config.probe.destinations,
              UnorderedElementsAre("192.0.2.1", "host", "2001:db8::1"));
}

}  // namespace
}  // namespace echo_exporter
