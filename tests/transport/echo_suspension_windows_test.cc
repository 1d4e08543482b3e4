#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/transport/echo_transport_windows_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What becomes of requests while the machine sleeps.
class EchoSuspensionWindowsTest : public EchoTransportHeldFixture {
 protected:
  // With a grace that the watchdog sees pass, and with one that it does not.
  EchoTransport& OpenWatched() {
    return Open({.overdue_grace = milliseconds(20)});
  }
  EchoTransport& OpenUnwatched() { return Open({.overdue_grace = hours(24)}); }

  /// The next results, from `first` on.
  std::vector<EchoOutcome> OutcomesFrom(std::size_t first, std::size_t count) {
    std::vector<EchoOutcome> outcomes;
    const auto results = results_.WaitFor(first + count);
    for (std::size_t i = first; i < results.size(); ++i) {
      outcomes.push_back(results[i].outcome);
    }
    return outcomes;
  }

  const std::vector<EchoOutcome> kAllSuspended = {EchoOutcome::kSuspended,
                                                  EchoOutcome::kSuspended,
                                                  EchoOutcome::kSuspended};
};

TEST_F(EchoSuspensionWindowsTest, TheWatchdogDoesNotCallItATimeout) {
  EchoTransport& transport = OpenWatched();
  for (std::uint64_t tag = 1; tag <= 3; ++tag) transport.Send(Request(tag));
  system_.WaitForCalls(3);
  system_.Suspend(hours(8));
  EXPECT_EQ(OutcomesFrom(0, 3), kAllSuspended);
}

TEST_F(EchoSuspensionWindowsTest, NeitherDoesWhatTheSystemSaysOfIt) {
  EchoTransport& transport = OpenUnwatched();
  for (std::uint64_t tag = 1; tag <= 3; ++tag) transport.Send(Request(tag));
  const auto calls = system_.WaitForCalls(3);
  system_.Suspend(hours(8));
  WriteReplyV4(calls[0], IpAddress(), 11010, 0, 0, "");
  SetEvent(calls[0].event);
  WriteReplyV4(calls[1], kDestination, 11003, 0, 0, "");
  SetEvent(calls[1].event);
  Answer(calls[2]);
  EXPECT_EQ(OutcomesFrom(0, 3), kAllSuspended);
}

TEST_F(EchoSuspensionWindowsTest, DoesNotSendWhatWaitedForASender) {
  for (const bool watched : {true, false}) {
    ResetEvent(release_);
    EchoTransport& transport = watched ? OpenWatched() : OpenUnwatched();
    const std::size_t results = results_.Get().size();
    const std::size_t calls = system_.WaitForCalls(0).size();
    HoldSenders(transport);
    transport.Send(Request(3));
    system_.Suspend(hours(8));
    if (watched) {
      EXPECT_EQ(OutcomesFrom(results, 3), kAllSuspended);
      Release();
    } else {
      Release();
      EXPECT_EQ(OutcomesFrom(results, 1),
                std::vector<EchoOutcome>{EchoOutcome::kSuspended});
      EXPECT_EQ(results_.Get()[results].tag, 3u);
    }
    const auto held = system_.WaitForCalls(calls + 2);
    for (std::size_t i = calls; i < calls + 2; ++i) Answer(held[i]);
    EXPECT_EQ(OutcomesFrom(results, 3), kAllSuspended);
    EXPECT_TRUE(transport.Drain(seconds(300)));
    EXPECT_EQ(system_.WaitForCalls(0).size(), calls + 2);
  }
}

TEST_F(EchoSuspensionWindowsTest, AnEndOfTheTransportIsNoTimeoutEither) {
  EchoTransport& transport = OpenUnwatched();
  for (std::uint64_t tag = 1; tag <= 3; ++tag) transport.Send(Request(tag));
  const auto calls = system_.WaitForCalls(3);
  system_.Suspend(hours(8));
  transport_.reset();
  EXPECT_EQ(OutcomesFrom(0, 3), kAllSuspended);
  for (const IcmpCall& call : calls) Answer(call);
}

TEST_F(EchoSuspensionWindowsTest, ConcernsOnlyWhatWasInFlightForLonger) {
  EchoTransport& transport = OpenUnwatched();
  transport.Send(Request(1));
  const IcmpCall before = system_.WaitForCalls(1)[0];
  system_.Suspend(seconds(1));
  Answer(before);
  EXPECT_EQ(OutcomesFrom(0, 1), std::vector<EchoOutcome>{EchoOutcome::kReply});

  transport.Send(Request(2));
  const IcmpCall during = system_.WaitForCalls(2)[1];
  system_.Suspend(milliseconds(1001));
  transport.Send(Request(3));
  Answer(during);
  Answer(system_.WaitForCalls(3)[2]);
  for (const EchoResult& result : results_.WaitFor(3)) {
    EXPECT_EQ(result.outcome,
              result.tag == 2 ? EchoOutcome::kSuspended : EchoOutcome::kReply);
  }
}

}  // namespace
}  // namespace echo_exporter
