#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "src/engine/dispatcher.h"
#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class DispatcherStopTest : public DispatcherFixture {};

TEST_F(DispatcherStopTest, StopWaitsForTheResultsOfRequestsInFlight) {
  AddPairs({"192.0.2.1"}, seconds(1));
  rig_.network.HoldFrom(Address("192.0.2.1"));
  Start();
  rig_.network.LimitDrain(hours(1));
  std::thread stopper([this] { rig_.dispatcher.Stop(); });
  rig_.network.WaitForDrain();
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 1);
  // Waiting for them is as planned.
  clock_.Advance(seconds(30));
  EXPECT_EQ(rig_.dispatcher.HeldUpFor(), seconds(0));
  rig_.network.AnswerHeld(ReplyAfter(milliseconds(5)));
  stopper.join();
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 0);
  EXPECT_EQ(Outcomes("192.0.2.1", "reply"), 1);
}

TEST_F(DispatcherStopTest, StopWaitsForTheLongestTimeoutAndAMargin) {
  AddPairs({"192.0.2.1"}, seconds(1), {}, {.timeout = milliseconds(500)});
  AddPairs({"192.0.2.2"}, seconds(1), {}, {.timeout = seconds(2)});
  Start();
  rig_.dispatcher.Stop();
  EXPECT_THAT(rig_.network.drain_limits(), ElementsAre(seconds(5)));
}

TEST_F(DispatcherStopTest, StopWaitsForTheDrainLimitAtMost) {
  AddPairs({"192.0.2.1"}, seconds(1), {}, {.timeout = seconds(60)});
  Start();
  rig_.dispatcher.Stop();
  EXPECT_THAT(rig_.network.drain_limits(),
              ElementsAre(DispatcherRig::kDrainLimit));
}

TEST_F(DispatcherStopTest, StopsOnceAndSendsNothingMore) {
  AddPairs({"192.0.2.1"}, seconds(1));
  Start();
  rig_.dispatcher.Stop();
  const std::size_t sent = rig_.network.sent().size();
  clock_.Advance(seconds(5));
  rig_.dispatcher.Stop();
  EXPECT_EQ(rig_.network.sent().size(), sent);
  EXPECT_EQ(rig_.network.drain_limits().size(), 1U);
}

TEST_F(DispatcherStopTest, RefusesSubmissionsOnceStopped) {
  Start();
  rig_.dispatcher.Stop();
  const std::size_t sent = rig_.network.sent().size();
  ResultLog log;
  rig_.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kGeneralFailure);
  EXPECT_EQ(rig_.network.sent().size(), sent);
}

TEST_F(DispatcherStopTest, SendsWhatWasSubmittedJustBefore) {
  Start();
  ResultLog log;
  std::size_t submitted = 0;
  const auto submit = [&] {
    ++submitted;
    rig_.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  };
  std::thread stopper;
  ResultLog outer;
  rig_.dispatcher.Submit(EchoRequest(), [&](const EchoResult& result) {
    // This holds up the dispatcher's own thread: the first result is the
    // refusal of a submission, when there are others still to be sent.
    submit();
    stopper = std::thread([this] { rig_.dispatcher.Stop(); });
    while (log.size() == 0) submit();
    outer.Add(result);
  });
  outer.WaitForSize(1);
  stopper.join();
  const auto results = log.results();
  ASSERT_EQ(results.size(), submitted);
  EXPECT_EQ(results[0].outcome, EchoOutcome::kGeneralFailure);
  for (std::size_t i = 1; i < submitted; ++i) {
    EXPECT_EQ(results[i].outcome, EchoOutcome::kReply);
  }
}

TEST_F(DispatcherStopTest, CompletesEverySubmissionThatRacesWithTheStop) {
  Start();
  rig_.network.LimitDrain(hours(1));
  rig_.network.Answer({.when = FakeAnswer::When::kSoon});
  ResultLog log;
  std::vector<std::thread> submitters;
  for (int i = 0; i < 4; ++i) {
    submitters.emplace_back([&] {
      for (int n = 0; n < 100; ++n) {
        rig_.dispatcher.Submit(EchoRequest(),
                               [&](const auto& r) { log.Add(r); });
      }
    });
  }
  log.WaitForSize(50);
  rig_.dispatcher.Stop();
  for (std::thread& submitter : submitters) submitter.join();
  EXPECT_EQ(log.size(), 400U);
}

TEST_F(DispatcherStopTest, GivesUpSubmissionsThatOutlastTheDraining) {
  rig_.network.HoldFrom(Address("192.0.2.1"));
  Start();
  ResultLog log;
  EchoRequest request;
  request.destination = Address("192.0.2.1");
  rig_.dispatcher.Submit(request, [&](const auto& r) { log.Add(r); });
  rig_.network.WaitForSentTo(Address("192.0.2.1"), 1);
  rig_.dispatcher.Stop();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kGeneralFailure);
  // The transport's own result comes too late.
  rig_.transport.reset();
  EXPECT_EQ(log.size(), 1U);
}

TEST_F(DispatcherStopTest, GivesUpWhatWasSubmittedWithoutAStart) {
  ResultLog log;
  rig_.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  rig_.dispatcher.Stop();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kGeneralFailure);
  EXPECT_THAT(rig_.network.sent(), testing::IsEmpty());
}

TEST_F(DispatcherStopTest, ResultsThatComeAfterItsEndAreRecorded) {
  const PairId pair = NewPair("192.0.2.1");
  rig_.network.Hold();
  ResultLog log;
  {
    Dispatcher dispatcher(clock_, *rig_.transport, rig_.book, rig_.recorder,
                          rig_.router, DispatcherRig::kDrainLimit);
    dispatcher.Apply({.scheduled = {{seconds(1),
                                     {PairOf(pair, {},
                                             {.address = Address("192.0.2.1"),
                                              .entry = {}})}}},
                      .updated = {},
                      .removed = {}});
    dispatcher.Start();
    rig_.network.WaitForSent(1);
    dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
  }
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 1);
  EXPECT_EQ(log.size(), 1U);
  EXPECT_EQ(rig_.network.AnswerHeld(ReplyAfter(milliseconds(1))), 2U);
  EXPECT_EQ(OfPair("in_flight", "192.0.2.1"), 0);
  EXPECT_EQ(Outcomes("192.0.2.1", "reply"), 1);
  EXPECT_EQ(log.size(), 1U);
}

TEST(DispatcherRigTest, DestroysCleanlyWithRequestsInFlight) {
  ResultLog log;
  {
    DispatcherRig rig(Clock::System());
    rig.network.Hold();
    const PairId pair = rig.recorder.AddPair({"g", "auto", "d", {}});
    rig.dispatcher.Apply(
        {.scheduled = {{seconds(1),
                        {PairOf(
                            pair, {},
                            {.address = Address("192.0.2.1"), .entry = {}})}}},
         .updated = {},
         .removed = {}});
    rig.dispatcher.Start();
    rig.network.WaitForSent(1);
    rig.dispatcher.Submit(EchoRequest(), [&](const auto& r) { log.Add(r); });
    rig.network.WaitForSent(2);
  }
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kGeneralFailure);
}

}  // namespace
}  // namespace echo_exporter
