#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AnyOf;
using testing::ElementsAre;
using testing::Optional;

constexpr char kHost[] = "192.0.2.1";

// Which flow the requests of a pair belong to.
class DispatcherFlowTest : public DispatcherFixture {
 protected:
  void Fail() { rig_.network.Answer({.result = EndAs(EchoOutcome::kTimeout)}); }
  void Reply() { rig_.network.Answer({}); }

  void StepSeconds(int count) {
    for (int i = 0; i < count; ++i) Step(seconds(1));
  }

  std::vector<std::uint32_t> Renewals() const {
    std::vector<std::uint32_t> renewals;
    for (const EchoRequest& request : RequestsTo(kHost)) {
      renewals.push_back(request.flow.renewals);
    }
    return renewals;
  }
};

TEST_F(DispatcherFlowTest, IsThePairsOwn) {
  AddPairs({kHost, "192.0.2.2"}, seconds(1));
  Start();
  StepSeconds(1);
  const auto first = RequestsTo(kHost);
  const auto second = RequestsTo("192.0.2.2");
  EXPECT_EQ(first[0].flow.kind, EchoFlow::Kind::kSteady);
  EXPECT_EQ(first[0].flow.owner, first[1].flow.owner);
  EXPECT_NE(first[0].flow.owner, second[0].flow.owner);
}

TEST_F(DispatcherFlowTest, IsRenewedAfterSoManyLossesInARow) {
  flow_renew_after_ = 3;
  AddPairs({kHost}, seconds(1));
  Fail();
  Start();
  StepSeconds(1);
  Reply();
  StepSeconds(1);
  Fail();
  StepSeconds(3);
  Reply();
  StepSeconds(2);
  EXPECT_THAT(Renewals(), ElementsAre(0, 0, 0, 0, 0, 0, 1, 1));
  EXPECT_EQ(OfPair("flow_renewals_total", kHost), 1);
}

TEST_F(DispatcherFlowTest, IsRenewedAgainWhenThatDoesNotHelp) {
  flow_renew_after_ = 3;
  AddPairs({kHost}, seconds(1));
  Fail();
  Start();
  StepSeconds(60);
  // After 3 s, and then every 10 s. The dispatcher may get to deal with a loss
  // only when the next one is due.
  EXPECT_EQ(Renewals()[2], 0U);
  EXPECT_EQ(Renewals()[3], 1U);
  EXPECT_EQ(Renewals()[11], 1U);
  EXPECT_EQ(Renewals()[14], 2U);
  EXPECT_THAT(OfPair("flow_renewals_total", kHost), Optional(AnyOf(5, 6)));
}

TEST_F(DispatcherFlowTest, IsRenewedSoonAfterAReplyInBetween) {
  flow_renew_after_ = 3;
  AddPairs({kHost}, seconds(5));
  Fail();
  Start();
  for (int i = 0; i < 5; ++i) Step(seconds(5));
  Reply();
  Step(seconds(5));
  Fail();
  for (int i = 0; i < 4; ++i) Step(seconds(5));
  EXPECT_THAT(Renewals(), ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3));
}

TEST_F(DispatcherFlowTest, IsNotRenewedByOutcomesOfThisHost) {
  flow_renew_after_ = 1;
  AddPairs({kHost}, seconds(1));
  rig_.network.Answer({.result = EndAs(EchoOutcome::kNoResources)});
  Start();
  StepSeconds(5);
  EXPECT_EQ(OfPair("flow_renewals_total", kHost), 0);
}

TEST_F(DispatcherFlowTest, IsNeverRenewedWhereThatIsTurnedOff) {
  AddPairs({kHost}, seconds(1));
  Fail();
  Start();
  StepSeconds(20);
  EXPECT_EQ(Renewals().back(), 0U);
  EXPECT_EQ(OfPair("flow_renewals_total", kHost), 0);
}

TEST_F(DispatcherFlowTest, IsOfOneRequestWhereItIsFresh) {
  flow_renew_after_ = 1;
  AddPairs({kHost}, seconds(1), {}, {.flow = FlowPolicy::kFresh});
  Fail();
  Start();
  StepSeconds(3);
  EXPECT_THAT(Renewals(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(RequestsTo(kHost)[0].flow.kind, EchoFlow::Kind::kFresh);
  EXPECT_EQ(OfPair("flow_renewals_total", kHost), 0);
}

}  // namespace
}  // namespace echo_exporter
