#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "src/transport/echo_engine_windows.h"
#include "tests/transport/echo_transport_windows_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What becomes of the slots when the system does not keep to the usual order.
using EchoSlotsWindowsTest = EchoTransportHeldFixture;

TEST_F(EchoSlotsWindowsTest, EndsARequestThatCompletesWithinTheCallOnce) {
  EchoTransport& transport = Open();
  for (const bool signals_as_well : {false, true}) {
    system_.OnSend([=](IcmpCall& call) {
      WriteReplyV4(call, call.destination, 0, 0, 64, call.payload);
      if (signals_as_well) SetEvent(call.event);
      return IcmpReturn{.replies = 1, .last_error = 0};
    });
    const std::size_t before = results_.Get().size();
    constexpr std::size_t kRequests = 200;
    for (std::size_t i = 0; i < kRequests; ++i) transport.Send(Request(i));
    EXPECT_TRUE(transport.Drain(seconds(300)));
    const auto results = results_.Get();
    ASSERT_EQ(results.size(), before + kRequests);
    for (const EchoResult& result : results) {
      EXPECT_EQ(result.outcome, EchoOutcome::kReply);
    }
  }
}

// The signal of a request that ended otherwise comes to nothing, however late
// the system's thread pool gets to it.
TEST_F(EchoSlotsWindowsTest, DoesNotTakeALeftOverSignalForTheNextReply) {
  system_.HoldCallbacks();
  system_.OnSend([this](IcmpCall& call) {
    Answer(call);
    system_.WaitForHeldCallback();
    return IcmpReturn{.replies = 1, .last_error = 0};
  });
  EchoTransport& transport = Open({.max_in_flight = 1});
  transport.Send(Request(1));
  EXPECT_TRUE(transport.Drain(seconds(300)));
  system_.OnSend({});
  transport.Send(Request(2));
  const IcmpCall call = system_.WaitForCalls(2).back();
  system_.DeliverHeldCallbacks();
  Answer(call);
  const auto results = results_.WaitFor(2);
  EXPECT_EQ(results[1].tag, 2u);
  EXPECT_EQ(results[1].outcome, EchoOutcome::kReply);
}

// Also of one that a refused request should not have sent.
TEST_F(EchoSlotsWindowsTest, IgnoresASignalThatNoRequestWaitsFor) {
  system_.HoldCallbacks();
  system_.OnSend([this](IcmpCall& call) {
    SetEvent(call.event);
    system_.WaitForHeldCallback();
    return IcmpReturn{.replies = 0, .last_error = 11050};
  });
  EchoTransport& transport = Open({.max_in_flight = 1});
  transport.Send(Request(1));
  EXPECT_TRUE(transport.Drain(seconds(300)));
  system_.DeliverHeldCallbacks();
  AnswerEverything();
  transport.Send(Request(2));
  const auto results = results_.WaitFor(2);
  EXPECT_EQ(results[0].outcome, EchoOutcome::kGeneralFailure);
  EXPECT_EQ(results[0].os_code, 11050u);
  EXPECT_EQ(results[1].outcome, EchoOutcome::kReply);
}

TEST_F(EchoSlotsWindowsTest, DoesNotTakeTheSignalOfAHeldCallForTheNextReply) {
  system_.HoldCallbacks();
  system_.OnSend([this](IcmpCall& call) {
    WaitForSingleObject(release_, INFINITE);
    Answer(call);
    system_.WaitForHeldCallback();
    return IcmpReturn{.replies = 1, .last_error = 0};
  });
  EchoTransport& transport =
      Open({.max_in_flight = 1, .overdue_grace = milliseconds(20)});
  transport.Send(Request(1));
  system_.WaitForCalls(1);
  system_.AdvanceClock(1'020'000'000);
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kTimeout);

  // It is in flight until its result was told.
  while (transport.in_flight() > 0) std::this_thread::yield();

  // The call comes back, and its slot serves as soon as it can.
  system_.OnSend({});
  Release();
  std::uint64_t tag = 1;
  do {
    transport.Send(Request(++tag));
  } while (transport.in_flight() == 0);
  const IcmpCall call = system_.WaitForCalls(2)[1];
  system_.DeliverHeldCallbacks();
  Answer(call);
  const EchoResult last = results_.WaitFor(tag).back();
  EXPECT_EQ(last.tag, tag);
  EXPECT_EQ(last.outcome, EchoOutcome::kReply);
}

TEST_F(EchoSlotsWindowsTest, GivesUpOnARequestTheSystemForgot) {
  EchoTransport& transport =
      Open({.max_in_flight = 1, .overdue_grace = milliseconds(20)});
  transport.Send(Request(1));
  const IcmpCall forgotten = system_.WaitForCalls(1)[0];
  system_.AdvanceClock(1'020'000'000);
  EchoResult result = results_.WaitFor(1)[0];
  EXPECT_EQ(result.tag, 1u);
  EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  EXPECT_EQ(result.rtt, milliseconds(1020));
  EXPECT_TRUE(transport.Drain(seconds(300)));

  // The system still owns the one slot: it cannot be used for another request.
  transport.Send(Request(2));
  result = results_.WaitFor(2)[1];
  EXPECT_EQ(result.tag, 2u);
  EXPECT_EQ(result.outcome, EchoOutcome::kNoResources);

  // Remembered at last: no second result, and the slot serves again.
  AnswerEverything();
  Answer(forgotten);
  std::uint64_t tag = 2;
  do {
    transport.Send(Request(++tag));
  } while (results_.WaitFor(tag).back().outcome == EchoOutcome::kNoResources);
  const auto results = results_.Get();
  EXPECT_EQ(results.size(), tag);
  EXPECT_EQ(results.back().outcome, EchoOutcome::kReply);
}

TEST_F(EchoSlotsWindowsTest, DoesNotGiveUpBeforeTheGraceIsOver) {
  EchoTransport& transport = Open({.overdue_grace = milliseconds(20)});
  transport.Send(Request(1));
  const IcmpCall longer = system_.WaitForCalls(1)[0];
  EchoRequest request = Request(2);
  request.timeout = milliseconds(500);
  transport.Send(request);
  const IcmpCall shorter = system_.WaitForCalls(2)[1];
  system_.AdvanceClock(600'000'000);
  EXPECT_EQ(results_.WaitFor(1)[0].tag, 2u);
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kTimeout);
  Answer(longer);
  const EchoResult last = results_.WaitFor(2)[1];
  EXPECT_EQ(last.tag, 1u);
  EXPECT_EQ(last.outcome, EchoOutcome::kReply);
  Answer(shorter);
}

// The lock is free between pieces of the slots: what is answered while the
// results of the first piece are told is a reply.
TEST_F(EchoSlotsWindowsTest, GivesUpInPieces) {
  constexpr std::size_t kRequests = 1100;
  constexpr std::uint64_t kAnswered = 1050;
  const IpAddress answering = *IpAddress::Parse("192.0.2.66");
  std::optional<IcmpCall> waiting;
  const auto callback = results_.Callback();
  const EchoEngineOwner engine(new EchoEngine(
      system_.Api(), {.max_in_flight = kRequests},
      [&](const EchoResult& result) {
        if (const auto call = std::exchange(waiting, std::nullopt)) {
          Answer(*call);
          system_.WaitForHeldCallback();
          system_.DeliverHeldCallbacks();
        }
        callback(result);
      }));
  ASSERT_TRUE(engine->Open().ok());
  for (std::uint64_t tag = 0; tag < kRequests; ++tag) {
    EchoRequest request = Request(tag);
    if (tag == kAnswered) request.destination = answering;
    engine->Send(request);
  }
  const auto calls = system_.WaitForCalls(kRequests);
  waiting = *std::ranges::find(calls, answering, &IcmpCall::destination);
  system_.HoldCallbacks();
  system_.AdvanceClock(3'000'000'000);
  engine->ExpireOverdue(/*all=*/false);
  const auto results = results_.Get();
  ASSERT_EQ(results.size(), kRequests);
  for (const EchoResult& result : results) {
    EXPECT_EQ(result.outcome, result.tag == kAnswered ? EchoOutcome::kReply
                                                      : EchoOutcome::kTimeout);
  }
}

// Twice as many as lately is enough: after an outage, memory and handles go
// back to the system.
TEST_F(EchoSlotsWindowsTest, ReleasesSlotsThatAnOutageHasMade) {
  constexpr std::int64_t kPeriod = 60'000'000'000;
  const EchoEngineOwner engine(
      new EchoEngine(system_.Api(), {}, results_.Callback()));
  ASSERT_TRUE(engine->Open().ok());
  std::vector<HANDLE> events;
  std::size_t sent = 0;
  const auto send = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) engine->Send(Request(i));
    const auto calls = system_.WaitForCalls(sent + count);
    for (std::size_t i = sent; i < calls.size(); ++i) {
      events.push_back(calls[i].event);
      Answer(calls[i]);
    }
    sent += count;
    results_.WaitFor(sent);
    EXPECT_TRUE(engine->Drain(seconds(300)));
  };
  send(100);
  system_.AdvanceClock(kPeriod);
  engine->ReleaseUnused();
  send(3);
  engine->ReleaseUnused();
  EXPECT_EQ(system_.registrations(), 100);
  EXPECT_EQ(system_.unregistrations(), 0);
  system_.AdvanceClock(kPeriod);
  engine->ReleaseUnused();
  ASSERT_GT(system_.unregistrations(), 0);
  // A sender may not be done with a slot yet.
  while (system_.unregistrations() < 94) engine->ReleaseUnused();
  engine->ReleaseUnused();
  EXPECT_EQ(system_.unregistrations(), 94);
  const auto is_open = [](HANDLE event) {
    DWORD flags = 0;
    return GetHandleInformation(event, &flags) != FALSE;
  };
  events.resize(100);
  EXPECT_LT(std::ranges::count_if(events, is_open), 50);

  // What is left serves, and more as needed.
  send(6);
  EXPECT_EQ(system_.registrations(), 100);
  send(50);
  EXPECT_EQ(system_.registrations(), 144);
  for (const EchoResult& result : results_.Get()) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  }
}

TEST_F(EchoSlotsWindowsTest, ReusesTheSlotThatHasBeenFreeForLongest) {
  EchoTransport& transport = Open();
  for (std::uint64_t tag = 1; tag <= 3; ++tag) transport.Send(Request(tag));
  const auto calls = system_.WaitForCalls(3);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Answer(calls[i]);
    while (transport.in_flight() > 2 - i) std::this_thread::yield();
  }
  AnswerEverything();
  transport.Send(Request(4));
  EXPECT_EQ(system_.WaitForCalls(4)[3].event, calls[0].event);
  results_.WaitFor(4);
}

TEST_F(EchoSlotsWindowsTest, KeepsASlotWhileItsCallLasts) {
  const EchoEngineOwner engine(
      new EchoEngine(system_.Api(), {}, results_.Callback()));
  ASSERT_TRUE(engine->Open().ok());
  system_.OnSend([this](IcmpCall& call) {
    Answer(call);
    WaitForSingleObject(release_, INFINITE);
    return IcmpReturn{.replies = 1, .last_error = 0};
  });
  engine->Send(Request(1));
  results_.WaitFor(1);
  EXPECT_TRUE(engine->Drain(seconds(300)));
  for (int minute = 0; minute < 3; ++minute) {
    system_.AdvanceClock(60'000'000'000);
    engine->ReleaseUnused();
  }
  EXPECT_EQ(system_.unregistrations(), 0);
  Release();
}

// Neither with the watchdog's help nor, when that is slow, without it.
TEST_F(EchoSlotsWindowsTest, DoesNotSendLateWhatWaitedForASender) {
  for (const Nanoseconds grace :
       {Nanoseconds(milliseconds(20)), Nanoseconds(std::chrono::hours(1))}) {
    ResetEvent(release_);
    EchoTransport& transport = Open({.overdue_grace = grace});
    const std::size_t results = results_.Get().size();
    const std::size_t calls = system_.WaitForCalls(0).size();
    HoldSenders(transport);
    transport.Send(Request(3));
    system_.AdvanceClock(1'000'000'000);
    if (grace > seconds(1)) Release();
    const EchoResult result = results_.WaitFor(results + 1)[results];
    EXPECT_EQ(result.tag, 3u);
    EXPECT_EQ(result.outcome, EchoOutcome::kNoResources);
    EXPECT_EQ(result.rtt, Nanoseconds(0));
    Release();
    // It is in flight until its result was told.
    while (transport.in_flight() > 2) std::this_thread::yield();
    const auto held = system_.WaitForCalls(calls + 2);
    AnswerEverything();
    transport.Send(Request(4));
    EXPECT_EQ(results_.WaitFor(results + 2)[results + 1].tag, 4u);
    EXPECT_EQ(system_.WaitForCalls(0).size(), calls + 3);
    for (std::size_t i = calls; i < calls + 2; ++i) Answer(held[i]);
    EXPECT_TRUE(transport.Drain(seconds(300)));
  }
}

TEST_F(EchoSlotsWindowsTest, LetsARequestWaitForASenderForATenthOfASecond) {
  EchoTransport& transport = Open({.overdue_grace = std::chrono::hours(1)});
  HoldSenders(transport);
  EchoRequest request = Request(3);
  request.timeout = milliseconds(1);
  transport.Send(request);
  system_.AdvanceClock(99'000'000);
  Release();
  for (const IcmpCall& call : system_.WaitForCalls(3)) Answer(call);
  for (const EchoResult& result : results_.WaitFor(3)) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  }
}

TEST_F(EchoSlotsWindowsTest, CountsTheTimeToGiveUpFromTheSending) {
  EchoTransport& transport = Open({.overdue_grace = milliseconds(20)});
  HoldSenders(transport);
  transport.Send(Request(3));
  system_.AdvanceClock(900'000'000);
  Release();
  const IcmpCall waited = system_.WaitForCalls(3)[2];
  EchoRequest request = Request(4);
  request.timeout = milliseconds(500);
  transport.Send(request);
  const auto calls = system_.WaitForCalls(4);
  // 1.5 s after the third was asked for, 0.6 s after it was sent.
  system_.AdvanceClock(600'000'000);
  const EchoResult first = results_.WaitFor(1)[0];
  EXPECT_EQ(first.tag, 4u);
  EXPECT_EQ(first.rtt, milliseconds(600));
  Answer(waited);
  const EchoResult last = results_.WaitFor(2)[1];
  EXPECT_EQ(last.tag, 3u);
  EXPECT_EQ(last.outcome, EchoOutcome::kReply);
  for (const std::size_t i : {0u, 1u, 3u}) Answer(calls[i]);
}

TEST_F(EchoSlotsWindowsTest, GoesOnWhenTheSystemHoldsASenderInACall) {
  const IpAddress trap = *IpAddress::Parse("192.0.2.66");
  const HANDLE release = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  system_.OnSend([=](IcmpCall& call) {
    if (call.destination == trap) {
      WaitForSingleObject(release, INFINITE);
      return IcmpReturn{.replies = 0, .last_error = 11050};
    }
    Answer(call);
    return IcmpReturn{};
  });
  EchoTransport& transport = Open({.overdue_grace = milliseconds(20)});
  EchoRequest trapped = Request(1);
  trapped.destination = trap;
  transport.Send(trapped);
  for (std::uint64_t tag = 2; tag <= 100; ++tag) transport.Send(Request(tag));
  for (const EchoResult& result : results_.WaitFor(99)) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  }
  system_.AdvanceClock(1'020'000'000);
  const EchoResult given_up = results_.WaitFor(100).back();
  EXPECT_EQ(given_up.tag, 1u);
  EXPECT_EQ(given_up.outcome, EchoOutcome::kTimeout);

  // Not even the end waits for the system, and what it holds stays in place.
  transport_.reset();
  EXPECT_EQ(system_.open_handles(), 2);
  SetEvent(release);
  EXPECT_EQ(results_.Get().size(), 100u);
}

TEST_F(EchoSlotsWindowsTest, EndsItsSendersWhenAnExceptionEndsAnEngine) {
  std::atomic<HANDLE> sender = nullptr;
  system_.OnSend([&sender](IcmpCall& call) {
    sender = OpenThread(SYNCHRONIZE, FALSE, GetCurrentThreadId());
    Answer(call);
    return IcmpReturn{};
  });
  try {
    const EchoEngineOwner engine(
        new EchoEngine(system_.Api(), {}, results_.Callback()));
    ASSERT_TRUE(engine->Open().ok());
    engine->Send(Request(1));
    results_.WaitFor(1);
    throw std::runtime_error("no more threads");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(system_.open_handles(), 0);
  }
  EXPECT_EQ(WaitForSingleObject(sender, 30'000), WAIT_OBJECT_0);
  CloseHandle(sender);
}

TEST_F(EchoSlotsWindowsTest, ClosesItsHandlesWhenNothingIsInFlight) {
  AnswerEverything();
  Open().Send(Request(1));
  results_.WaitFor(1);
  EXPECT_EQ(system_.open_handles(), 2);
  EXPECT_TRUE(transport_->Drain(seconds(300)));
  transport_.reset();
  EXPECT_EQ(system_.open_handles(), 0);
}

TEST_F(EchoSlotsWindowsTest, DestroysCleanlyWithProbesInFlight) {
  Open();
  for (std::uint64_t tag = 1; tag <= 3; ++tag) transport_->Send(Request(tag));
  const auto calls = system_.WaitForCalls(3);
  EXPECT_FALSE(transport_->Drain(Nanoseconds(0)));
  transport_.reset();
  const auto results = results_.Get();
  ASSERT_EQ(results.size(), 3u);
  for (const EchoResult& result : results) {
    EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  }
  // Closing the device would wait for the system, which may answer even now.
  EXPECT_EQ(system_.open_handles(), 2);
  for (const IcmpCall& call : calls) Answer(call);
  EXPECT_EQ(results_.Get().size(), 3u);
}

}  // namespace
}  // namespace echo_exporter
