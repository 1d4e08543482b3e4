#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr char kOutageHost[] = "192.0.2.1";

// What becomes of a pair's outages; an outage begins after three losses.
class DispatcherOutageTest : public DispatcherFixture {
 protected:
  void SetUp() override { AddPairs({kOutageHost}, seconds(1)); }

  void EndAllAs(EchoOutcome outcome) {
    rig_.network.Answer({.result = EndAs(outcome)});
  }

  void StepSeconds(int count) {
    for (int i = 0; i < count; ++i) Step(seconds(1));
  }

  void ChangeOutageAfter(std::uint16_t outage_after) {
    rig_.dispatcher.Apply(
        {.scheduled = {},
         .updated =
             {{.id = 0,
               .destination = {.address = Address(kOutageHost), .entry = {}},
               .settings = std::make_shared<const PairSettings>(PairSettings{
                   .source = {}, .echo = {}, .outage_after = outage_after})}},
         .removed = {}});
  }

  double Of(const std::string& name) const {
    return OfPair(name, kOutageHost).value_or(-1);
  }
};

TEST_F(DispatcherOutageTest, LastsFromTheFirstLossToTheReply) {
  EndAllAs(EchoOutcome::kTimeout);
  Start();
  StepSeconds(1);
  EXPECT_EQ(Of("consecutive_failures"), 2);
  EXPECT_EQ(Of("outages_total"), 0);
  StepSeconds(1);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 2);
  EXPECT_EQ(Of("failure_run_length_count"), 0);
  EndAllAs(EchoOutcome::kReply);
  StepSeconds(2);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 3);
  EXPECT_EQ(Of("failure_run_length_sum"), 3);
  EXPECT_EQ(Of("consecutive_failures"), 0);
}

TEST_F(DispatcherOutageTest, MissedTicksNeitherEndNorLengthenIt) {
  EndAllAs(EchoOutcome::kTimeout);
  Start();
  Step(milliseconds(10'500));
  StepSeconds(1);  // at 11.5 s, of which the tick of 11 s is taken late
  EXPECT_EQ(Missed("late"), 9);
  EXPECT_EQ(Of("consecutive_failures"), 3);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 11.5);
}

TEST_F(DispatcherOutageTest, ASuspendedMachineNeitherEndsNorLengthensIt) {
  EndAllAs(EchoOutcome::kTimeout);
  Start();
  StepSeconds(1);
  EndAllAs(EchoOutcome::kSuspended);
  StepSeconds(3);
  EXPECT_EQ(Of("consecutive_failures"), 2);
  EXPECT_EQ(Of("outages_total"), 0);
  EndAllAs(EchoOutcome::kTimeout);
  StepSeconds(1);
  EXPECT_EQ(Of("consecutive_failures"), 3);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 5);
  EXPECT_EQ(Of("up"), 0);
  EndAllAs(EchoOutcome::kReply);
  StepSeconds(1);
  EndAllAs(EchoOutcome::kSuspended);
  StepSeconds(1);
  EXPECT_EQ(Of("up"), 1);
  EXPECT_EQ(Of("consecutive_failures"), 0);
}

TEST_F(DispatcherOutageTest, GoesOnOverAChangeOfItsLength) {
  EndAllAs(EchoOutcome::kTimeout);
  Start();
  StepSeconds(1);
  ChangeOutageAfter(2);
  EXPECT_EQ(Of("outages_total"), 0);
  StepSeconds(1);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 2);
  ChangeOutageAfter(1000);
  StepSeconds(1);
  EXPECT_EQ(Of("outages_total"), 1);
  EXPECT_EQ(Of("outage_seconds_total"), 3);
  EXPECT_EQ(Of("consecutive_failures"), 4);
}

TEST_F(DispatcherOutageTest, ATimeoutMayComeAfterTheReplyToTheNextRequest) {
  rig_.network.Hold();
  rig_.network.AnswerFrom(kMarker, {});
  Start();
  rig_.network.AnswerFrom(Address(kOutageHost), {});
  StepSeconds(2);
  EXPECT_EQ(Of("in_flight"), 1);
  EXPECT_EQ(Outcomes(kOutageHost, "reply"), 2);
  EXPECT_EQ(Of("up"), -1);
  rig_.network.AnswerHeld(EndAs(EchoOutcome::kTimeout));
  EXPECT_EQ(Of("up"), 1);
  EXPECT_EQ(Of("consecutive_failures"), 0);
  EXPECT_EQ(Of("failure_run_length_sum"), 1);
  EXPECT_THAT(rig_.outcomes.lines(),
              ElementsAre(std::string(kOutageHost) + " none timeout",
                          std::string(kOutageHost) + " timeout reply"));
}

}  // namespace
}  // namespace echo_exporter
