#include "src/engine/pair_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/recorder/samples.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

GroupConfig GroupTo(const std::string& name,
                    const std::vector<std::string>& destinations) {
  GroupConfig group;
  group.name = name;
  group.sources = {SourceConfig()};
  for (const std::string& destination : destinations) {
    group.destinations.push_back(
        {.name = destination, .address = IpAddress::Parse(destination)});
  }
  return group;
}

SourceConfig FromAddress(const std::string& name, const std::string& address) {
  return {.name = name,
          .kind = SourceConfig::Kind::kAddress,
          .address = Address(address),
          .interface_name = ""};
}

SourceConfig FromAdapter(const std::string& name, const std::string& adapter) {
  return {.name = name,
          .kind = SourceConfig::Kind::kInterface,
          .address = {},
          .interface_name = adapter};
}

class PairSetTest : public testing::Test {
 protected:
  static ExporterConfig ConfigOf(const std::vector<GroupConfig>& groups) {
    ExporterConfig config;
    config.groups = groups;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      for (std::uint32_t s = 0; s < groups[g].sources.size(); ++s) {
        for (std::uint32_t d = 0; d < groups[g].destinations.size(); ++d) {
          config.pairs.push_back({.group = g, .source = s, .destination = d});
        }
      }
    }
    return config;
  }

  /// All that Exporter does with a configuration but the dispatching.
  DispatchChange MoveTo(const std::vector<GroupConfig>& groups) {
    DispatchChange change = set_.Plan(ConfigOf(groups));
    set_.Commit();
    return change;
  }

  static std::vector<DispatchedPair> Scheduled(const DispatchChange& change) {
    std::vector<DispatchedPair> pairs;
    for (const DispatchedGroup& group : change.scheduled) {
      pairs.insert(pairs.end(), group.pairs.begin(), group.pairs.end());
    }
    return pairs;
  }

  void ExpectNothingToDo(const DispatchChange& change) {
    EXPECT_THAT(Scheduled(change), IsEmpty());
    EXPECT_THAT(change.updated, IsEmpty());
    EXPECT_THAT(change.removed, IsEmpty());
  }

  /// The number of the pair to that destination.
  PairId PairTo(const std::string& destination) const {
    for (const PairStatus& status : recorder_.Snapshot()) {
      if (status.labels->destination == destination) return status.id;
    }
    ADD_FAILURE() << "no pair to " << destination;
    return 0;
  }

  FakeAddressLookup lookup_;
  ProbeRecorder recorder_{{.rtt_buckets = {0.1}}, Clock::System()};
  AddressBook book_{lookup_, AddressBook::Options(), {}};
  PairSet set_{recorder_, book_};
};

TEST_F(PairSetTest, SchedulesNewPairsByTheirGroups) {
  GroupConfig slow = GroupTo("slow", {"192.0.2.1", "192.0.2.2"});
  slow.interval = seconds(60);
  slow.sources = {SourceConfig(), FromAddress("wan", "198.51.100.7")};
  slow.echo.ttl = 7;
  slow.outage_after = 5;
  const DispatchChange change = MoveTo({slow, GroupTo("g", {"192.0.2.9"})});
  ASSERT_THAT(change.scheduled, SizeIs(2));
  EXPECT_EQ(change.scheduled[0].interval, seconds(60));
  ASSERT_THAT(change.scheduled[0].pairs, SizeIs(4));
  const DispatchedPair& last = change.scheduled[0].pairs[3];
  EXPECT_EQ(last.id, 3U);
  EXPECT_EQ(last.settings->source.address, Address("198.51.100.7"));
  EXPECT_EQ(last.destination.address, Address("192.0.2.2"));
  EXPECT_EQ(last.settings->echo.ttl, 7);
  EXPECT_EQ(last.settings->outage_after, 5);
  EXPECT_EQ(change.scheduled[1].interval, seconds(1));
  EXPECT_THAT(change.scheduled[1].pairs, SizeIs(1));
  EXPECT_THAT(change.updated, IsEmpty());
  EXPECT_THAT(change.removed, IsEmpty());
  EXPECT_THAT(recorder_.Snapshot(), SizeIs(5));
}

TEST_F(PairSetTest, AConfigurationThatChangesNothingTouchesNoPair) {
  GroupConfig group = GroupTo("g", {"192.0.2.1", "a.example.net"});
  group.sources = {SourceConfig(), FromAddress("wan1", "198.51.100.7"),
                   FromAdapter("wan2", "Ethernet 2")};
  group.labels = {{"site", "fra"}};
  const std::vector<GroupConfig> groups = {group, GroupTo("h", {"192.0.2.1"})};
  EXPECT_THAT(Scheduled(MoveTo(groups)), SizeIs(7));
  ExpectNothingToDo(MoveTo(groups));
  // Nor does the order, or what concerns the recorder only.
  ExpectNothingToDo(MoveTo({groups[1], groups[0]}));
  group.labels = {};
  ExpectNothingToDo(MoveTo({group, groups[1]}));
}

TEST_F(PairSetTest, EachAddressOfANameIsAPairOfItsOwn) {
  GroupConfig group = GroupTo("g", {});
  group.name_addresses = NameAddresses::kAll;
  const auto add = [&group](const std::string& name,
                            const std::string& address) {
    group.destinations.push_back(
        {.name = name, .address = IpAddress::Parse(address)});
  };
  add("pods", "192.0.2.1");
  add("pods", "192.0.2.2");
  add("unknown", "");
  const std::vector<DispatchedPair> pairs = Scheduled(MoveTo({group}));
  ASSERT_THAT(pairs, SizeIs(3));
  EXPECT_EQ(pairs[0].destination.address, Address("192.0.2.1"));
  // Nothing is sent to a name that has no address yet; it is not looked up
  // here.
  EXPECT_EQ(pairs[2].destination, Endpoint());
  EXPECT_EQ(recorder_.LabelsOf(pairs[0].id)->address, "192.0.2.1");
  EXPECT_EQ(recorder_.LabelsOf(pairs[2].id)->address, "");
  group.destinations.erase(group.destinations.begin());
  add("pods", "2001:db8::1");
  const DispatchChange change = MoveTo({group});
  EXPECT_THAT(change.removed, ElementsAre(pairs[0].id));
  ASSERT_THAT(Scheduled(change), SizeIs(1));
  EXPECT_EQ(recorder_.LabelsOf(Scheduled(change)[0].id)->Text(),
            "g: auto -> pods (2001:db8::1)");
}

// As discovery makes them of targets with settings of their own.
TEST_F(PairSetTest, GroupsOfOneNameShareTheirPairs) {
  const GroupConfig fast = GroupTo("g", {"192.0.2.1", "192.0.2.2"});
  GroupConfig slow = GroupTo("g", {"192.0.2.3"});
  slow.interval = seconds(60);
  MoveTo({fast, slow});
  GroupConfig other = GroupTo("g", {"192.0.2.2", "192.0.2.3"});
  other.interval = seconds(60);
  const DispatchChange change = MoveTo({GroupTo("g", {"192.0.2.1"}), other});
  EXPECT_THAT(change.removed, IsEmpty());
  ASSERT_THAT(Scheduled(change), SizeIs(1));
  EXPECT_EQ(Scheduled(change)[0].id, PairTo("192.0.2.2"));
}

TEST_F(PairSetTest, AsksOnceForTheZoneOfManyAddresses) {
  GroupConfig group = GroupTo("g", {"fe80::1", "fe80::3"});
  group.sources = {FromAddress("wan", "fe80::2")};
  group.sources[0].zone = "eth0";
  for (auto& destination : group.destinations) destination.zone = "eth0";
  const std::vector<DispatchedPair> pairs = Scheduled(MoveTo({group}));
  ASSERT_THAT(pairs, SizeIs(2));
  EXPECT_EQ(pairs[0].settings->source.address, Address("fe80::2"));
  EXPECT_EQ(pairs[0].destination.address, Address("fe80::1"));
  EXPECT_EQ(pairs[1].destination.address, Address("fe80::3"));
  ASSERT_TRUE(pairs[0].settings->source.entry);
  ASSERT_TRUE(pairs[0].destination.entry);
  EXPECT_EQ(pairs[0].destination.entry, pairs[1].destination.entry);
  EXPECT_NE(pairs[0].settings->source.entry, pairs[0].destination.entry);
}

TEST_F(PairSetTest, SendsFromAnAddressOfEachIpVersion) {
  GroupConfig group = GroupTo("g", {"192.0.2.1"});
  group.sources = {FromAddress("wan", "198.51.100.7")};
  group.sources[0].other_address = Address("2001:db8::7");
  const std::vector<DispatchedPair> pairs = Scheduled(MoveTo({group}));
  ASSERT_THAT(pairs, SizeIs(1));
  EXPECT_EQ(pairs[0].settings->source.address, Address("198.51.100.7"));
  EXPECT_EQ(pairs[0].settings->other_source, Address("2001:db8::7"));
}

TEST_F(PairSetTest, LooksUpTheAsciiFormOfAName) {
  GroupConfig group = GroupTo("g", {"b\u00fccher.example"});
  group.destinations[0].ascii_name = "xn--bcher-kva.example";
  MoveTo({group});
  lookup_.WaitForCalls("xn--bcher-kva.example", 1);
  EXPECT_EQ(PairTo("b\u00fccher.example"), 0U);
}

TEST_F(PairSetTest, UpdatesOnlyThePairsThatDiffer) {
  GroupConfig group = GroupTo("g", {"192.0.2.1"});
  group.sources = {SourceConfig(), FromAddress("wan", "198.51.100.7"),
                   FromAdapter("lan", "Ethernet 2")};
  GroupConfig other = GroupTo("h", {"192.0.2.9"});
  MoveTo({group, other});
  group.sources[1].address = Address("198.51.100.8");
  DispatchChange change = MoveTo({group, other});
  ASSERT_THAT(change.updated, SizeIs(1));
  EXPECT_EQ(change.updated[0].id, 1U);
  EXPECT_EQ(change.updated[0].settings->source.address,
            Address("198.51.100.8"));

  group.sources[2].interface_name = "Ethernet 3";
  change = MoveTo({group, other});
  ASSERT_THAT(change.updated, SizeIs(1));
  EXPECT_EQ(change.updated[0].id, 2U);

  other.echo.payload_size = 8;
  change = MoveTo({group, other});
  ASSERT_THAT(change.updated, SizeIs(1));
  EXPECT_EQ(change.updated[0].id, 3U);
  EXPECT_EQ(change.updated[0].settings->echo.payload_size, 8);

  other.outage_after = 1;
  change = MoveTo({group, other});
  ASSERT_THAT(change.updated, SizeIs(1));
  EXPECT_EQ(change.updated[0].settings->outage_after, 1);
  EXPECT_THAT(Scheduled(change), IsEmpty());
  EXPECT_THAT(change.removed, IsEmpty());
}

TEST_F(PairSetTest, SchedulesAnewThePairsWithAnotherInterval) {
  GroupConfig group = GroupTo("g", {"192.0.2.1", "192.0.2.2"});
  const GroupConfig other = GroupTo("h", {"192.0.2.9"});
  MoveTo({group, other});
  group.interval = seconds(5);
  const DispatchChange change = MoveTo({group, other});
  ASSERT_THAT(change.scheduled, SizeIs(2));
  EXPECT_EQ(change.scheduled[0].interval, seconds(5));
  EXPECT_THAT(change.scheduled[0].pairs, SizeIs(2));
  EXPECT_THAT(change.scheduled[1].pairs, IsEmpty());
  EXPECT_THAT(change.updated, IsEmpty());
  EXPECT_THAT(change.removed, IsEmpty());
}

TEST_F(PairSetTest, TheRecorderKnowsTheIntervalOfEachPair) {
  GroupConfig group = GroupTo("g", {"192.0.2.1"});
  const auto interval = [this](const std::string& destination) {
    return ParseSamples(RenderText(recorder_))
        ["icmp_echo_interval_seconds{group=\"g\",source=\"auto\","
         "destination=\"" +
         destination + "\"}"];
  };
  MoveTo({group});
  EXPECT_EQ(interval("192.0.2.1"), 1);
  group.interval = seconds(7);
  MoveTo({group});
  EXPECT_EQ(interval("192.0.2.1"), 7);
  group.destinations.push_back(
      {.name = "192.0.2.2", .address = Address("192.0.2.2")});
  MoveTo({group});
  EXPECT_EQ(interval("192.0.2.1"), 7);
  EXPECT_EQ(interval("192.0.2.2"), 7);
}

TEST_F(PairSetTest, EndsTheSeriesOfPairsThatAreGone) {
  MoveTo({GroupTo("g", {"192.0.2.1", "192.0.2.2", "192.0.2.3"})});
  const PairId kept = PairTo("192.0.2.2");
  const DispatchChange change =
      MoveTo({GroupTo("g", {"192.0.2.4", "192.0.2.2"})});
  EXPECT_THAT(change.removed, ElementsAre(0, 2));
  EXPECT_THAT(Scheduled(change), SizeIs(1));
  EXPECT_THAT(change.updated, IsEmpty());
  EXPECT_EQ(PairTo("192.0.2.2"), kept);
  EXPECT_THAT(recorder_.Snapshot(), SizeIs(2));
}

TEST_F(PairSetTest, APairThatComesBackBeforeItHasEndedIsTheSame) {
  const std::vector<GroupConfig> both = {GroupTo("g", {"192.0.2.1", "b"})};
  MoveTo(both);
  const PairId first = PairTo("192.0.2.1");
  const PairId second = PairTo("b");
  const RequestId request = recorder_.RecordRequest(first, {}, 3).id;
  MoveTo({});
  const std::vector<DispatchedPair> scheduled = Scheduled(MoveTo(both));
  ASSERT_THAT(scheduled, SizeIs(2));
  EXPECT_EQ(scheduled[0].id, first);
  EXPECT_NE(scheduled[1].id, second);
  recorder_.RecordResult(request, {});
  MoveTo({});
  EXPECT_THAT(recorder_.Snapshot(), IsEmpty());
}

TEST_F(PairSetTest, GivesAPairItsNewLabels) {
  GroupConfig group = GroupTo("g", {"192.0.2.1"});
  MoveTo({group});
  group.labels = {{"site", "fra"}};
  MoveTo({group});
  EXPECT_EQ(*recorder_.LabelsOf(0),
            (PairLabels{"g", "auto", "192.0.2.1", {{"site", "fra"}}}));
}

TEST_F(PairSetTest, LabelsOfADestinationAreAddedToThoseOfItsGroup) {
  GroupConfig group = GroupTo("g", {"192.0.2.1", "192.0.2.2"});
  group.labels = {{"site", "fra"}};
  group.destinations[1].labels = {{"rack", "7"}};
  MoveTo({group});
  EXPECT_EQ(recorder_.LabelsOf(0)->extra, (SharedLabels{{"site", "fra"}}));
  EXPECT_EQ(recorder_.LabelsOf(1)->extra,
            (SharedLabels{{"site", "fra"}, {"rack", "7"}}));
  // Each may change without the others; nothing is sent differently then.
  group.destinations[0].labels = {{"rack", "6"}};
  group.destinations[1].labels = {};
  ExpectNothingToDo(MoveTo({group}));
  EXPECT_EQ(recorder_.LabelsOf(0)->extra,
            (SharedLabels{{"site", "fra"}, {"rack", "6"}}));
  EXPECT_EQ(recorder_.LabelsOf(1)->extra, (SharedLabels{{"site", "fra"}}));
  group.destinations[0].labels = {};
  group.labels = {};
  ExpectNothingToDo(MoveTo({group}));
  EXPECT_EQ(recorder_.LabelsOf(0)->extra, SharedLabels());
}

TEST_F(PairSetTest, APairThatComesBackBeforeItHasEndedGetsItsNewLabels) {
  GroupConfig group = GroupTo("g", {"192.0.2.1"});
  MoveTo({group});
  recorder_.RecordRequest(0, {}, 3);
  MoveTo({});
  group.labels = {{"site", "fra"}};
  EXPECT_EQ(Scheduled(MoveTo({group}))[0].id, 0U);
  EXPECT_EQ(*recorder_.LabelsOf(0),
            (PairLabels{"g", "auto", "192.0.2.1", {{"site", "fra"}}}));
}

TEST_F(PairSetTest, AbandonsWhatItHasPlanned) {
  GroupConfig group = GroupTo("g", {"192.0.2.1", "192.0.2.2"});
  MoveTo({group});
  GroupConfig other = GroupTo("g", {"192.0.2.2", "a.example.net"});
  other.labels = {{"site", "fra"}};
  const DispatchChange change = set_.Plan(ConfigOf({other}));
  EXPECT_THAT(recorder_.Snapshot(), SizeIs(3));
  const AddressBook::EntryId entry =
      Scheduled(change).at(0).destination.entry.value();
  lookup_.Set("a.example.net", {Address("192.0.2.9")});
  set_.Abandon();
  EXPECT_THAT(book_.Addresses(entry), IsEmpty());
  EXPECT_THAT(recorder_.Snapshot(), SizeIs(2));
  EXPECT_EQ(*recorder_.LabelsOf(1), (PairLabels{"g", "auto", "192.0.2.2", {}}));
  ExpectNothingToDo(MoveTo({group}));
  EXPECT_THAT(MoveTo({other}).removed, ElementsAre(0));
}

TEST_F(PairSetTest, WatchesTheNamesThatPairsNeed) {
  lookup_.Set("a.example.net", {Address("192.0.2.1")});
  GroupConfig group = GroupTo("g", {"a.example.net"});
  group.dns_refresh = std::chrono::milliseconds(1);
  const std::vector<DispatchedPair> scheduled = Scheduled(MoveTo({group}));
  ASSERT_THAT(scheduled, SizeIs(1));
  ASSERT_TRUE(scheduled[0].destination.entry);
  const AddressBook::EntryId entry = *scheduled[0].destination.entry;
  lookup_.WaitForRefresh("a.example.net");
  EXPECT_THAT(book_.Addresses(entry), ElementsAre(Address("192.0.2.1")));
  MoveTo({group});
  EXPECT_THAT(book_.Addresses(entry), ElementsAre(Address("192.0.2.1")));
  MoveTo({});
  EXPECT_THAT(book_.Addresses(entry), IsEmpty());
}

}  // namespace
}  // namespace echo_exporter
