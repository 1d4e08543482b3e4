#include "src/engine/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "src/base/mutex.h"
#include "tests/engine/dispatcher_fixture.h"
#include "tests/engine/outcome_log.h"
#include "tests/support/result_log.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;
using testing::UnorderedElementsAre;

class DispatcherTest : public DispatcherFixture {};

TEST_F(DispatcherTest, ProbesEveryPairAtItsOwnTimeOfEachInterval) {
  AddPairs({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}, seconds(1));
  Start();
  for (int i = 0; i < 8; ++i) Step(milliseconds(250));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0, 1000, 2000));
  EXPECT_THAT(TimesOf("192.0.2.2"), ElementsAre(250, 1250));
  EXPECT_THAT(TimesOf("192.0.2.3"), ElementsAre(500, 1500));
  EXPECT_THAT(TimesOf("192.0.2.4"), ElementsAre(750, 1750));
}

TEST_F(DispatcherTest, SendsWhatThePairSays) {
  AddPairs({"192.0.2.1"}, seconds(1),
           {.address = Address("198.51.100.7"), .entry = {}},
           {.timeout = milliseconds(1500),
            .payload_size = 1400,
            .ttl = 7,
            .dont_fragment = true});
  Start();
  const auto requests = RequestsTo("192.0.2.1");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].source, Address("198.51.100.7"));
  EXPECT_EQ(requests[0].timeout, milliseconds(1500));
  EXPECT_EQ(requests[0].payload_size, 1400);
  EXPECT_EQ(requests[0].ttl, 7);
  EXPECT_TRUE(requests[0].dont_fragment);
}

TEST_F(DispatcherTest, LeavesTheSourceToTheSystemWhenThePairDoes) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  const auto requests = RequestsTo("192.0.2.1");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].source, std::nullopt);
}

TEST_F(DispatcherTest, CountsRequestsAsOutcomesOrInFlight) {
  AddPairs({"192.0.2.1", "192.0.2.2", "192.0.2.3"}, seconds(1));
  rig_.network.HoldFrom(Address("192.0.2.2"));
  rig_.network.AnswerFrom(Address("192.0.2.3"),
                          {.result = EndAs(EchoOutcome::kHostUnreachable)});
  Start();
  for (int i = 0; i < 4; ++i) Step(seconds(1));
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 5);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 0);
  EXPECT_EQ(Outcomes("192.0.2.1", "reply"), 5);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.2"), 4);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.2"), 4);
  EXPECT_EQ(Outcomes("192.0.2.2", "reply"), 0);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.3"), 4);
  EXPECT_EQ(Outcomes("192.0.2.3", "host_unreachable"), 4);

  rig_.network.AnswerHeld(EndAs(EchoOutcome::kTimeout));
  EXPECT_EQ(OfPair("requests_total", "192.0.2.2"), 4);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.2"), 0);
  EXPECT_EQ(Outcomes("192.0.2.2", "timeout"), 4);
}

TEST_F(DispatcherTest, MissesTicksInsteadOfExceedingMaxInFlight) {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i <= DispatcherRig::kMaxInFlight; ++i) {
    addresses.push_back("192.0.2." + std::to_string(i));
    rig_.network.HoldFrom(Address(addresses.back()));
  }
  AddPairs(addresses, milliseconds(900));
  Start();
  for (int i = 0; i < 9; ++i) Step(milliseconds(100));
  // The last pair, and the first one again after one interval.
  EXPECT_EQ(Missed("max_in_flight"), 2);
  EXPECT_EQ(rig_.network.in_flight(), DispatcherRig::kMaxInFlight);
  EXPECT_EQ(OfPair("requests_total", addresses.front()), 1);
  EXPECT_EQ(OfPair("requests_total", addresses.back()), 0);
  EXPECT_THAT(RequestsTo(addresses.back()), IsEmpty());

  rig_.network.AnswerHeld(ReplyAfter(seconds(1)));
  Step(milliseconds(800));
  EXPECT_EQ(OfPair("requests_total", addresses.back()), 1);
}

TEST_F(DispatcherTest, CountsTicksThatItWasTooLateForAndSendsNoBurst) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  Step(milliseconds(10'500));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0, 10'500));
  EXPECT_EQ(Missed("late"), 9);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 2);
  EXPECT_EQ(rig_.Sample("echo_exporter_schedule_lag_seconds_sum"), 0.5);
  Step(milliseconds(500));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0, 10'500, 11'000));
  EXPECT_EQ(Missed("late"), 9);
}

TEST_F(DispatcherTest, MissesTicksOfANameUntilItResolves) {
  rig_.lookup.Fail("late.example.net");
  AddPair(
      {},
      {.address = {},
       .entry = rig_.book.WatchName("late.example.net", milliseconds(1)).entry},
      "late.example.net");
  Start();
  Step(seconds(1));
  EXPECT_EQ(Missed("unresolved"), 2);
  EXPECT_EQ(OfPair("requests_total", "late.example.net"), 0);
  EXPECT_EQ(rig_.Sample("icmp_echo_pair_info{group=\"g\"}"), std::nullopt);

  rig_.lookup.Set("late.example.net", {Address("192.0.2.9")});
  rig_.lookup.WaitForRefresh("late.example.net");
  Step(seconds(1));
  EXPECT_EQ(RequestsTo("192.0.2.9").size(), 1U);
  EXPECT_EQ(OfPair("requests_total", "late.example.net"), 1);
  EXPECT_EQ(Missed("unresolved"), 2);
}

TEST_F(DispatcherTest, MissesTicksOfADestinationWithoutAnyAddress) {
  AddPair({}, {}, "unknown");
  Start();
  Step(seconds(1));
  EXPECT_EQ(Missed("unresolved"), 2);
  EXPECT_EQ(OfPair("requests_total", "unknown"), 0);
}

TEST_F(DispatcherTest, TellsThatANameIsResolvedLongBeforeThePairIsProbed) {
  rig_.lookup.Fail("late.example.net");
  const DispatchedPair pair = PairOf(
      NewPair("late.example.net"), {},
      {.address = {},
       .entry =
           rig_.book.WatchName("late.example.net", milliseconds(1)).entry});
  rig_.recorder.Describe(pair.id, {.has_name = true});
  rig_.dispatcher.Apply({.scheduled = {{std::chrono::hours(1), {pair}}},
                         .updated = {},
                         .removed = {}});
  Start();
  EXPECT_EQ(Missed("unresolved"), 1);
  EXPECT_EQ(OfPair("resolved", "late.example.net"), 0);

  rig_.lookup.Set("late.example.net", {Address("192.0.2.9")});
  rig_.lookup.WaitForRefresh("late.example.net");
  Step(seconds(1));
  EXPECT_EQ(OfPair("resolved", "late.example.net"), 1);
  EXPECT_EQ(OfPair("requests_total", "late.example.net"), 0);
}

TEST_F(DispatcherTest, TellsAtOnceOfANewPairWhoseNameIsKnown) {
  rig_.lookup.Set("known.example.net", {Address("192.0.2.9")});
  const auto add = [this](const std::string& label) {
    const DispatchedPair pair = PairOf(
        NewPair(label), {},
        {.address = {},
         .entry =
             rig_.book.WatchName("known.example.net", std::chrono::hours(1))
                 .entry});
    rig_.recorder.Describe(pair.id, {.has_name = true});
    rig_.dispatcher.Apply({.scheduled = {{std::chrono::hours(1), {pair}}},
                           .updated = {},
                           .removed = {}});
  };
  add("first");
  rig_.lookup.WaitForCalls("known.example.net", 1);
  Start();
  while (OfPair("resolved", "first") != 1) Step(seconds(1));
  add("second");
  Step(seconds(2));
  EXPECT_EQ(OfPair("resolved", "second"), 1);
}

TEST_F(DispatcherTest, FollowsANameToItsNewAddress) {
  rig_.lookup.Set("a.example.net", {Address("192.0.2.1")});
  AddPair(
      {},
      {.address = {},
       .entry = rig_.book.WatchName("a.example.net", milliseconds(1)).entry},
      "a.example.net");
  rig_.lookup.WaitForRefresh("a.example.net");
  Start();
  rig_.lookup.Set("a.example.net", {Address("192.0.2.2")});
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0));
  EXPECT_THAT(TimesOf("192.0.2.2"), ElementsAre(1000));
  EXPECT_THAT(RenderText(rig_.recorder),
              AllOf(HasSubstr("destination_address=\"192.0.2.2\""),
                    Not(HasSubstr("destination_address=\"192.0.2.1\""))));
}

TEST_F(DispatcherTest, KeepsTheLastGoodAddressWhenARefreshFails) {
  rig_.lookup.Set("a.example.net", {Address("192.0.2.1")});
  AddPair(
      {},
      {.address = {},
       .entry = rig_.book.WatchName("a.example.net", milliseconds(1)).entry},
      "a.example.net");
  rig_.lookup.WaitForRefresh("a.example.net");
  Start();
  rig_.lookup.Fail("a.example.net");
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0, 1000));
  EXPECT_EQ(Missed("unresolved"), 0);
}

TEST_F(DispatcherTest, SendsFromTheAddressOfTheDestinationsIpVersion) {
  const auto settings = std::make_shared<const PairSettings>(
      PairSettings{.source = {.address = Address("192.0.2.100"), .entry = {}},
                   .other_source = Address("2001:db8::100"),
                   .echo = {}});
  std::vector<DispatchedPair> pairs;
  for (const char* const address : {"192.0.2.1", "2001:db8::1"}) {
    pairs.push_back({.id = NewPair(address),
                     .destination = {.address = Address(address), .entry = {}},
                     .settings = settings});
  }
  rig_.dispatcher.Apply(
      {.scheduled = {{seconds(1), pairs}}, .updated = {}, .removed = {}});
  Start();
  Step(seconds(1));
  ASSERT_FALSE(RequestsTo("192.0.2.1").empty());
  EXPECT_EQ(RequestsTo("192.0.2.1")[0].source, Address("192.0.2.100"));
  ASSERT_FALSE(RequestsTo("2001:db8::1").empty());
  EXPECT_EQ(RequestsTo("2001:db8::1")[0].source, Address("2001:db8::100"));
}

TEST_F(DispatcherTest, EndsProbesFromAnAdapterWithoutAddressAsBadSource) {
  AddPairFrom("Ethernet 2");
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Start();
  Step(seconds(1));
  EXPECT_THAT(RequestsTo("192.0.2.1"), IsEmpty());
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 2);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 0);
  EXPECT_EQ(Outcomes("192.0.2.1", "bad_source"), 2);
  EXPECT_EQ(Missed("unresolved"), 0);
}

TEST_F(DispatcherTest, MissesTicksOfAnAdapterUntilItIsRead) {
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.7")});
  rig_.lookup.Block("Ethernet 2");
  AddPairFrom("Ethernet 2");
  Start();
  rig_.lookup.Fail("Ethernet 2", "no descriptors", ErrorCode::kExhausted);
  rig_.lookup.Release("Ethernet 2");
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 0);
  EXPECT_EQ(Missed("unresolved"), 2);
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.7")});
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  EXPECT_EQ(RequestsTo("192.0.2.1").size(), 1U);
  EXPECT_EQ(Outcomes("192.0.2.1", "bad_source"), std::nullopt);
}

TEST_F(DispatcherTest, FollowsTheAddressOfAnAdapter) {
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.7")});
  AddPairFrom("Ethernet 2");
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Start();
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.8")});
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  rig_.lookup.Fail("Ethernet 2");
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  EXPECT_THAT(
      RequestsTo("192.0.2.1"),
      ElementsAre(
          Field(&EchoRequest::source, Optional(Address("198.51.100.7"))),
          Field(&EchoRequest::source, Optional(Address("198.51.100.8")))));
  EXPECT_EQ(Outcomes("192.0.2.1", "bad_source"), 1);
}

TEST_F(DispatcherTest, EndsProbesFromAnAdapterThatLostOneIpVersionAsBadSource) {
  rig_.lookup.Set("wan", {Address("198.51.100.7"), Address("fe80::7%2")});
  AddPairFrom("wan");
  rig_.lookup.WaitForRefresh("wan");
  Start();
  rig_.lookup.Set("wan", {Address("fe80::7%2")});
  rig_.lookup.WaitForRefresh("wan");
  Step(seconds(1));
  EXPECT_EQ(RequestsTo("192.0.2.1").size(), 1U);
  EXPECT_EQ(Outcomes("192.0.2.1", "bad_source"), 1);
  EXPECT_EQ(Missed("unresolved"), 0);
}

TEST_F(DispatcherTest, SendsThroughTheAdapterThatIsTheSource) {
  rig_.lookup.Set("wan", {Address("198.51.100.7")});
  rig_.lookup.SetInterfaceIndex("wan", 7);
  AddPairFrom("wan");
  rig_.lookup.WaitForRefresh("wan");
  Start();
  // Made anew, with the same address.
  rig_.lookup.SetInterfaceIndex("wan", 8);
  rig_.lookup.WaitForRefresh("wan");
  Step(seconds(1));
  EXPECT_THAT(RequestsTo("192.0.2.1"),
              ElementsAre(Field(&EchoRequest::source_interface, 7),
                          Field(&EchoRequest::source_interface, 8)));
}

TEST_F(DispatcherTest, SendsInTheZoneThatAnAdapterHasNow) {
  const auto source = rig_.book.WatchZone("wan", /*is_source=*/true).entry;
  const auto target = rig_.book.WatchZone("wan", /*is_source=*/false).entry;
  const auto set_zone = [&](std::uint32_t zone) {
    rig_.lookup.Set("wan", {});
    rig_.lookup.SetInterfaceIndex("wan", zone);
    while (rig_.book.InterfaceIndex(source) != zone ||
           rig_.book.InterfaceIndex(target) != zone) {
      std::this_thread::yield();
    }
  };
  AddPair({.address = Address("fe80::1"), .entry = source},
          {.address = Address("fe80::2"), .entry = target}, "fe80::2");
  Start();
  EXPECT_EQ(Missed("unresolved"), 1);
  set_zone(7);
  Step(seconds(1));
  set_zone(8);  // made anew
  Step(seconds(1));
  EXPECT_THAT(
      RequestsTo("fe80::2%7"),
      ElementsAre(AllOf(Field(&EchoRequest::source, Address("fe80::1%7")),
                        Field(&EchoRequest::source_interface, 0))));
  EXPECT_THAT(RequestsTo("fe80::2%8"),
              ElementsAre(Field(&EchoRequest::source, Address("fe80::1%8"))));
}

TEST_F(DispatcherTest, MissesTicksOfAPairWithoutACommonIpVersion) {
  rig_.network.Support(true, false);
  AddPairs({"2001:db8::1"}, seconds(1));
  Start();
  EXPECT_THAT(RequestsTo("2001:db8::1"), IsEmpty());
  EXPECT_EQ(Missed("unresolved"), 1);
  EXPECT_EQ(OfPair("requests_total", "2001:db8::1"), 0);
}

TEST_F(DispatcherTest, GivesSubmittersTheirOwnResults) {
  rig_.network.AnswerFrom(Address("192.0.2.1"),
                          {.result = ReplyAfter(milliseconds(1))});
  rig_.network.AnswerFrom(
      Address("192.0.2.2"),
      {.when = FakeAnswer::When::kSoon, .result = ReplyAfter(milliseconds(2))});
  Start();
  ResultLog first;
  ResultLog second;
  EchoRequest request;
  request.destination = Address("192.0.2.1");
  rig_.dispatcher.Submit(request, [&](const auto& r) { first.Add(r); });
  request.destination = Address("192.0.2.2");
  rig_.dispatcher.Submit(request, [&](const auto& r) { second.Add(r); });
  first.WaitForSize(1);
  second.WaitForSize(1);
  EXPECT_EQ(first.results()[0].rtt, milliseconds(1));
  EXPECT_EQ(second.results()[0].rtt, milliseconds(2));
}

TEST_F(DispatcherTest, KeepsSubmittedRequestsOutOfThePairsCounters) {
  AddPairs({"192.0.2.1"}, hours(1));
  Start();
  ResultLog log;
  EchoRequest request;
  request.destination = Address("192.0.2.1");
  for (int i = 0; i < 5; ++i) {
    rig_.dispatcher.Submit(request, [&](const auto& r) { log.Add(r); });
  }
  log.WaitForSize(5);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 1);
  EXPECT_EQ(Outcomes("192.0.2.1", "reply"), 1);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 0);
}

TEST_F(DispatcherTest, SendsWhatWasSubmittedBeforeTheStart) {
  ResultLog log;
  rig_.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  rig_.dispatcher.Start();
  log.WaitForSize(1);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kReply);
}

TEST_F(DispatcherTest, CountsStrayRepliesOfPairsOnly) {
  AddPairs({"192.0.2.1"}, hours(1));
  Start();
  ResultLog log;
  rig_.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  log.WaitForSize(1);
  for (const FakeEchoNetwork::Sent& sent : rig_.network.sent()) {
    rig_.network.AnswerAgain(sent.request.tag, StrayReply::kLate);
    rig_.network.AnswerAgain(sent.request.tag, StrayReply::kDuplicate);
    rig_.network.AnswerAgain(sent.request.tag, StrayReply::kDuplicate);
  }
  EXPECT_EQ(OfPair("late_replies_total", "192.0.2.1"), 1);
  EXPECT_EQ(OfPair("duplicate_replies_total", "192.0.2.1"), 2);
  EXPECT_EQ(Outcomes("192.0.2.1", "reply"), 1);
}

TEST_F(DispatcherTest, SendsPairsThatAreDueBeforeWhatIsSubmitted) {
  AddPairs({"192.0.2.1"}, seconds(1));
  EchoRequest request;
  request.destination = Address("192.0.2.9");
  rig_.dispatcher.Submit(request, [](const EchoResult&) {});
  Start();
  const auto sent = rig_.network.sent();
  ASSERT_GE(sent.size(), 2U);
  EXPECT_EQ(sent[0].request.destination, Address("192.0.2.1"));
  EXPECT_EQ(sent[1].request.destination, Address("192.0.2.9"));
}

TEST_F(DispatcherTest, OutcomesOfPairsReachTheObserver) {
  rig_.network.AnswerFrom(Address("192.0.2.1"),
                          {.result = EndAs(EchoOutcome::kHostUnreachable)});
  AddPairs({"192.0.2.1"}, seconds(1));
  const auto adapter = rig_.book.WatchInterface("missing0").entry;
  rig_.lookup.WaitForRefresh("missing0");
  AddPair(Endpoint{.address = {}, .entry = adapter},
          Endpoint{.address = Address("192.0.2.2"), .entry = {}}, "192.0.2.2");
  Start();
  Step(seconds(1));
  EXPECT_THAT(rig_.outcomes.lines(),
              UnorderedElementsAre("192.0.2.1 none host_unreachable",
                                   "192.0.2.2 none bad_source"));
}

TEST_F(DispatcherTest, IsHeldUpForAsLongAsItDoesNotComeBack) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  ResultLog entered;
  ResultLog left;
  Mutex held;
  held.lock();
  EchoRequest request;
  request.destination = Address("192.0.2.9");
  rig_.dispatcher.Submit(request, [&](const EchoResult& result) {
    entered.Add(result);
    const MutexLock lock(held);  // on the thread that sends
    left.Add(result);
  });
  entered.WaitForSize(1);
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(0));
  clock_.Advance(seconds(5));
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(5));
  held.unlock();
  left.WaitForSize(1);
  Step(seconds(0));
  Step(seconds(0));
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(0));
}

TEST_F(DispatcherTest, IsNotHeldUpWithNothingToSend) {
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(0));
  Start();
  clock_.Advance(hours(1));
  // As soon as it has seen to what was submitted.
  while (rig_.dispatcher.HeldUpFor() > seconds(0)) std::this_thread::yield();
  clock_.Advance(hours(1));
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(0));
}

}  // namespace
}  // namespace echo_exporter
