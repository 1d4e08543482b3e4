#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Field;

class DispatcherChangeTest : public DispatcherFixture {
 protected:
  static DispatchedPair PairTo(PairId id, const std::string& address,
                               const EchoSettings& echo = {}) {
    return PairOf(id, {}, {.address = Address(address), .entry = {}}, echo);
  }

  void Apply(std::vector<DispatchedGroup> scheduled,
             std::vector<DispatchedPair> updated = {},
             std::vector<PairId> removed = {}) {
    rig_.dispatcher.Apply({.scheduled = std::move(scheduled),
                           .updated = std::move(updated),
                           .removed = std::move(removed)});
  }
};

TEST_F(DispatcherChangeTest, AnUpdatedPairKeepsItsPlaceInTheSchedule) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  Step(milliseconds(700));
  Apply({}, {PairTo(0, "192.0.2.1", {.ttl = 7})});
  Step(milliseconds(300));
  Step(seconds(1));
  EXPECT_THAT(TimesOf("192.0.2.1"), ElementsAre(0, 1000, 2000));
  EXPECT_THAT(
      RequestsTo("192.0.2.1"),
      ElementsAre(Field(&EchoRequest::ttl, 128), Field(&EchoRequest::ttl, 7),
                  Field(&EchoRequest::ttl, 7)));
}

TEST_F(DispatcherChangeTest, APairWithAnotherIntervalIsScheduledAnew) {
  AddPairs({"192.0.2.1"}, hours(1));
  Start();
  Step(milliseconds(500));
  Apply({{seconds(1), {PairTo(0, "192.0.2.1")}}});
  for (int i = 0; i < 4; ++i) Step(milliseconds(500));
  // One at the start, then one each second.
  EXPECT_EQ(TimesOf("192.0.2.1").size(), 3U);
}

TEST_F(DispatcherChangeTest, NothingIsSentForARemovedPair) {
  AddPairs({"192.0.2.1", "192.0.2.2"}, seconds(1));
  Start();
  Step(seconds(1));
  const std::size_t before = RequestsTo("192.0.2.1").size();
  Apply({}, {}, {0});
  rig_.recorder.RemovePair(0);
  Step(seconds(1));
  Step(seconds(1));
  EXPECT_EQ(RequestsTo("192.0.2.1").size(), before);
  EXPECT_GT(RequestsTo("192.0.2.2").size(), 2U);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), std::nullopt);
}

TEST_F(DispatcherChangeTest, ARemovedPairsSeriesStayUntilItsLastOutcome) {
  rig_.network.HoldFrom(Address("192.0.2.1"));
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  Apply({}, {}, {0});
  rig_.recorder.RemovePair(0);
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), 1);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 1);
  rig_.network.AnswerHeld(ReplyAfter(milliseconds(1)));
  EXPECT_EQ(OfPair("requests_total", "192.0.2.1"), std::nullopt);
  // Nobody remembers it.
  rig_.router.OnStrayReply(0, StrayReply::kDuplicate);
}

TEST_F(DispatcherChangeTest, ChangesAreMadeOnceStarted) {
  Apply({{seconds(1), {PairTo(NewPair("192.0.2.1"), "192.0.2.1")}}});
  Start();
  Apply({{seconds(1), {PairTo(NewPair("192.0.2.2"), "192.0.2.2")}}});
  Step(seconds(1));
  EXPECT_EQ(RequestsTo("192.0.2.1").size(), 2U);
  EXPECT_EQ(RequestsTo("192.0.2.2").size(), 1U);
}

TEST_F(DispatcherChangeTest, AChangeDoesNotHangOnceStopped) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  rig_.dispatcher.Stop();
  const std::size_t sent = rig_.network.sent().size();
  Apply({{seconds(1), {PairTo(NewPair("192.0.2.2"), "192.0.2.2")}}});
  EXPECT_EQ(rig_.network.sent().size(), sent);
}

}  // namespace
}  // namespace echo_exporter
