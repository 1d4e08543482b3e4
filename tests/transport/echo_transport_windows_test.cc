#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/transport/echo_transport_windows_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EchoTransportWindowsTest : public EchoTransportWindowsFixture {};

void CALLBACK CountCall(ULONG_PTR count) {
  ++*reinterpret_cast<std::atomic<int>*>(count);
}

TEST_F(EchoTransportWindowsTest, HandsTheSystemWhatTheRequestSays) {
  AnswerEverything();
  EchoRequest request = Request(1);
  request.source = IpAddress::Parse("198.51.100.7");
  request.timeout = milliseconds(1500);
  request.payload_size = 100;
  request.ttl = 9;
  request.dont_fragment = true;
  Open().Send(request);
  const IcmpCall call = system_.WaitForCalls(1)[0];
  EXPECT_EQ(call.version, IpVersion::kV4);
  EXPECT_EQ(call.source, request.source);
  EXPECT_EQ(call.destination, kDestination);
  EXPECT_EQ(call.timeout_ms, 1500u);
  EXPECT_EQ(call.payload.size(), 100u);
  EXPECT_EQ(call.reply_size, 40u + 100 + 8 + 16);
  EXPECT_EQ(call.options.ttl, 9);
  EXPECT_EQ(call.options.flags, 2);
  EXPECT_EQ(call.options.options_size, 0);
  results_.WaitFor(1);
}

TEST_F(EchoTransportWindowsTest, LeavesTheSourceToTheSystemWhenThereIsNone) {
  AnswerEverything();
  Open().Send(Request(1));
  const IcmpCall call = system_.WaitForCalls(1)[0];
  EXPECT_TRUE(call.source.IsUnspecified());
  EXPECT_EQ(call.options.flags, 0);
  results_.WaitFor(1);
}

TEST_F(EchoTransportWindowsTest, RoundsTheTimeoutUpToMilliseconds) {
  AnswerEverything();
  EchoRequest request = Request(1);
  request.timeout = milliseconds(2) + Nanoseconds(1);
  Open().Send(request);
  EXPECT_EQ(system_.WaitForCalls(1)[0].timeout_ms, 3u);
  results_.WaitFor(1);
}

TEST_F(EchoTransportWindowsTest, SendsIpv6WithScopeAndSource) {
  system_.OnSend([](IcmpCall& call) {
    WriteReplyV6(call, call.destination, 0, 0, call.payload);
    SetEvent(call.event);
    return IcmpReturn{};
  });
  EchoRequest request = Request(1);
  request.destination = *IpAddress::Parse("fe80::1%7");
  request.source = IpAddress::Parse("fe80::2%7");
  request.dont_fragment = true;  // which the system documents for IPv4 only
  EchoTransport& transport = Open();
  EXPECT_TRUE(transport.Supports(IpVersion::kV6));
  transport.Send(request);
  results_.WaitFor(1);
  request.source.reset();
  transport.Send(request);
  const auto calls = system_.WaitForCalls(2);
  EXPECT_EQ(calls[0].version, IpVersion::kV6);
  EXPECT_EQ(calls[0].destination.ToString(), "fe80::1%7");
  EXPECT_EQ(calls[0].source.ToString(), "fe80::2%7");
  EXPECT_EQ(calls[0].reply_size, 36u + 32 + 8 + 16);
  EXPECT_EQ(calls[0].options.ttl, 128);
  EXPECT_EQ(calls[0].options.flags, 0);
  EXPECT_TRUE(calls[1].source.IsUnspecified());
  for (const EchoResult& result : results_.WaitFor(2)) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  }
}

TEST_F(EchoTransportWindowsTest, NeverSendsThePayloadOfAnotherTransport) {
  AnswerEverything();
  std::set<std::string> payloads;
  for (std::uint64_t sent = 1; sent <= 6; ++sent) {
    if (sent % 3 == 1) Open();
    transport_->Send(Request(sent));
    results_.WaitFor(sent);
    payloads.insert(system_.WaitForCalls(sent).back().payload);
  }
  EXPECT_EQ(payloads.size(), 6u);
}

TEST_F(EchoTransportWindowsTest, SaysThatIpv6IsNotThereWhereItIsNot) {
  system_.SetHasIpv6(false);
  EchoTransport& transport = Open();
  EXPECT_TRUE(transport.Supports(IpVersion::kV4));
  EXPECT_FALSE(transport.Supports(IpVersion::kV6));
  EchoRequest request = Request(1);
  request.destination = *IpAddress::Parse("::1");
  transport.Send(request);
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kOther);
}

TEST_F(EchoTransportWindowsTest, CannotOpenWithoutAnyIcmpDevice) {
  system_.FailOpen(true);
  const auto transport =
      CreateWindowsEchoTransport(system_.Api(), {}, results_.Callback());
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().message,
            "opening the ICMP device: IcmpCreateFile: error (2)");
}

TEST_F(EchoTransportWindowsTest, EndsARequestThatTheSystemRefuses) {
  const std::vector<std::pair<DWORD, EchoOutcome>> refusals = {
      {ERROR_INVALID_PARAMETER, EchoOutcome::kOther},
      {1214, EchoOutcome::kBadSource},
      {11050, EchoOutcome::kGeneralFailure},
      {11002, EchoOutcome::kNetUnreachable},
      {ERROR_NOT_ENOUGH_MEMORY, EchoOutcome::kNoResources},
  };
  EchoTransport& transport = Open();
  std::uint64_t tag = 0;
  for (const auto& [code, outcome] : refusals) {
    system_.OnSend([code = code](IcmpCall&) {
      return IcmpReturn{.replies = 0, .last_error = code};
    });
    transport.Send(Request(++tag));
    EXPECT_TRUE(transport.Drain(seconds(300)));
    const auto results = results_.Get();
    ASSERT_EQ(results.size(), tag);
    EXPECT_EQ(results.back().tag, tag);
    EXPECT_EQ(results.back().outcome, outcome);
    EXPECT_EQ(results.back().os_code, code);
    EXPECT_EQ(transport.in_flight(), 0u);
  }
  // And the next one is served as if nothing had been.
  AnswerEverything();
  transport.Send(Request(++tag));
  EXPECT_EQ(results_.WaitFor(tag).back().outcome, EchoOutcome::kReply);
}

TEST_F(EchoTransportWindowsTest,
       ACallWithoutAnErrorIsPendingWhateverWasBefore) {
  system_.OnSend(
      [](IcmpCall&) { return IcmpReturn{.replies = 0, .last_error = 0}; });
  EchoTransport& transport = Open();
  transport.Send(Request(1));
  Answer(system_.WaitForCalls(1)[0]);
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kReply);
}

// With the network down, all requests are refused: then of all times they must
// not take longer.
TEST_F(EchoTransportWindowsTest, RegistersNothingForARequestThatIsRefused) {
  system_.OnSend([](IcmpCall&) {
    return IcmpReturn{.replies = 0, .last_error = ERROR_NETWORK_UNREACHABLE};
  });
  EchoTransport& transport = Open({.max_in_flight = 8});
  constexpr std::uint64_t kRefusals = 2000;
  for (std::uint64_t tag = 1; tag <= kRefusals; ++tag) {
    if (transport.in_flight() == 8) transport.Drain(seconds(300));
    transport.Send(Request(tag));
  }
  EXPECT_TRUE(transport.Drain(seconds(300)));
  for (const EchoResult& result : results_.WaitFor(kRefusals)) {
    ASSERT_EQ(result.outcome, EchoOutcome::kNetUnreachable);
  }
  EXPECT_LE(system_.registrations(), 8);
  EXPECT_EQ(system_.unregistrations(), 0);

  // And each slot serves the next request.
  AnswerEverything();
  for (std::uint64_t tag = 1; tag <= 8; ++tag) transport.Send(Request(tag));
  EXPECT_TRUE(transport.Drain(seconds(300)));
  const auto results = results_.WaitFor(kRefusals + 8);
  for (std::size_t i = kRefusals; i < results.size(); ++i) {
    EXPECT_EQ(results[i].outcome, EchoOutcome::kReply);
  }
  EXPECT_LE(system_.registrations(), 8);
}

TEST_F(EchoTransportWindowsTest, SendsFromHalfOfTheProcessors) {
  const std::vector<std::pair<unsigned, int>> cases = {
      {1, 2}, {4, 2}, {6, 3}, {16, 8}, {128, 8}};
  for (const auto& [processors, senders] : cases) {
    system_.SetProcessors(processors);
    EchoTransport& transport = Open();
    // Each call lasts until as many are under way as there should be senders.
    const HANDLE all_call = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    std::atomic<int> calling = 0;
    std::atomic<int> most = 0;
    std::atomic<int> raised = 0;
    system_.OnSend([&, expected = senders](IcmpCall& call) {
      const int now = ++calling;
      for (int seen = most; seen < now;) most.compare_exchange_weak(seen, now);
      raised +=
          GetThreadPriority(GetCurrentThread()) == THREAD_PRIORITY_ABOVE_NORMAL;
      if (now == expected) SetEvent(all_call);
      if (WaitForSingleObject(all_call, 300'000) != 0) SetEvent(all_call);
      --calling;
      Answer(call);
      return IcmpReturn{};
    });
    const std::size_t before = results_.Get().size();
    for (std::uint64_t tag = 1; tag <= 40; ++tag) transport.Send(Request(tag));
    results_.WaitFor(before + 40);
    EXPECT_TRUE(transport.Drain(seconds(300)));
    EXPECT_EQ(most, senders) << processors;
    EXPECT_EQ(raised, 40);
    transport_.reset();
    CloseHandle(all_call);
  }
}

// Windows numbers the requests of all programs with 16 bits, and may have two
// of one number in flight.
TEST_F(EchoTransportWindowsTest, NeverTakesTheReplyToARequestOfTheSameNumber) {
  EchoTransport& transport = Open();
  std::uint16_t sent = 0;
  std::map<std::uint16_t, IcmpCall> in_flight;
  system_.OnSend([&](IcmpCall& call) {
    // The system matches a reply to the oldest request of its number.
    in_flight.emplace(sent, call);
    const IcmpCall& matched = in_flight.at(sent);
    if (matched.payload != call.payload) {
      WriteReplyV4(matched, call.destination, 0, 0, 64, call.payload);
      SetEvent(matched.event);
    }
    return IcmpReturn{};
  });
  transport.Send(Request(1));
  system_.WaitForCalls(1);
  sent = static_cast<std::uint16_t>(sent + 65'536);  // by other programs
  system_.AdvanceClock(400'000'000);
  transport.Send(Request(2));
  const EchoResult matched = results_.WaitFor(1)[0];
  EXPECT_EQ(matched.tag, 1u);
  EXPECT_EQ(matched.outcome, EchoOutcome::kCorruptReply);
  // It is in flight until its result was told.
  while (transport.in_flight() > 1) std::this_thread::yield();
  Answer(system_.WaitForCalls(2)[1]);
  EXPECT_EQ(results_.WaitFor(2)[1].outcome, EchoOutcome::kReply);
}

TEST_F(EchoTransportWindowsTest, HasNoMoreInFlightThanTheSystemHasNumbers) {
  EXPECT_EQ(kEchoTransportTraits.max_in_flight, 60'000u);
  EXPECT_EQ(Open({.max_in_flight = 60'001}).max_in_flight(), 60'000u);
  EXPECT_EQ(Open({.max_in_flight = 59'999}).max_in_flight(), 59'999u);
}

TEST_F(EchoTransportWindowsTest, CallsASignalWithoutAReplyAFailure) {
  system_.OnSend([](IcmpCall& call) {
    SetEvent(call.event);
    return IcmpReturn{};
  });
  Open().Send(Request(1));
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kGeneralFailure);
}

TEST_F(EchoTransportWindowsTest, ReadsATimeoutOfTheSystem) {
  EchoTransport& transport = Open();
  transport.Send(Request(1));
  const IcmpCall call = system_.WaitForCalls(1)[0];
  system_.AdvanceClock(1'003'000'000);
  WriteReplyV4(call, IpAddress(), 11010, 0, 0, "");
  SetEvent(call.event);
  const EchoResult result = results_.WaitFor(1)[0];
  EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  EXPECT_EQ(result.rtt, milliseconds(1003));
}

TEST_F(EchoTransportWindowsTest, SeparatesALateCallbackFromALongRoundTrip) {
  EchoTransport& transport = Open();
  transport.Send(Request(1));
  const IcmpCall call = system_.WaitForCalls(1)[0];
  system_.AdvanceClock(250'000'000);
  WriteReplyV4(call, kDestination, 0, 20, 64, call.payload);
  SetEvent(call.event);
  const EchoResult result = results_.WaitFor(1)[0];
  EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  EXPECT_EQ(result.rtt, std::chrono::microseconds(20500));
  EXPECT_EQ(result.completion_delay, std::chrono::microseconds(229500));
}

TEST_F(EchoTransportWindowsTest, EndsRequestsForWhichThereIsNoHandle) {
  AnswerEverything();
  EchoTransport& transport = Open();
  system_.FailCreateEvent(true);
  transport.Send(Request(1));
  EXPECT_EQ(results_.WaitFor(1)[0].outcome, EchoOutcome::kNoResources);
  system_.FailCreateEvent(false);
  system_.FailRegisterWait(true);
  transport.Send(Request(2));
  EXPECT_EQ(results_.WaitFor(2)[1].outcome, EchoOutcome::kNoResources);
  EXPECT_TRUE(transport.Drain(seconds(300)));
  system_.FailRegisterWait(false);
  transport.Send(Request(3));
  EXPECT_EQ(results_.WaitFor(3)[2].outcome, EchoOutcome::kReply);
}

TEST_F(EchoTransportWindowsTest, RefusesMoreThanItMayHaveInFlight) {
  EchoTransport& transport = Open({.max_in_flight = 3});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) transport.Send(Request(tag));
  EXPECT_EQ(transport.in_flight(), 3u);
  const auto results = results_.Get();
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].tag, 4u);
  EXPECT_EQ(results[0].outcome, EchoOutcome::kNoResources);
  for (const IcmpCall& call : system_.WaitForCalls(3)) Answer(call);
  EXPECT_TRUE(transport.Drain(seconds(300)));
  EXPECT_EQ(results_.Get().size(), 4u);
}

TEST_F(EchoTransportWindowsTest, TakesItsPrecautionsUnderWineOnly) {
  EXPECT_EQ(Open({.max_in_flight = 4096}).max_in_flight(), 4096u);
  AnswerEverything();
  transport_->Send(Request(1));
  results_.WaitFor(1);
  EXPECT_EQ(system_.WaitForCalls(1)[0].apc, nullptr);
  transport_.reset();

  system_.SetWine(true);
  EXPECT_EQ(Open({.max_in_flight = 4096}).max_in_flight(), 240u);
  transport_->Send(Request(2));
  results_.WaitFor(2);
  EXPECT_NE(system_.WaitForCalls(2)[1].apc, nullptr);
}

// Wine 8 queues the no-op procedure to the sender, where it would pile up.
TEST_F(EchoTransportWindowsTest, RunsProceduresQueuedToItsSendersUnderWine) {
  system_.SetWine(true);
  // Some may run after this test, when their sender next waits.
  static std::atomic<int> ran;
  system_.OnSend([](IcmpCall& call) {
    QueueUserAPC(&CountCall, GetCurrentThread(),
                 reinterpret_cast<ULONG_PTR>(&ran));
    Answer(call);
    return IcmpReturn{};
  });
  EchoTransport& transport = Open();
  // One of the two senders makes at least 100 calls.
  for (std::uint64_t tag = 1; tag <= 200; ++tag) {
    transport.Send(Request(tag));
    results_.WaitFor(tag);
  }
  EXPECT_GE(ran, 64);
}

TEST_F(EchoTransportWindowsTest, GivesOneResultPerRequestUnderPressure) {
  // Answers come from other threads, and overtake the call that began them.
  system_.OnSend([](IcmpCall& call) {
    Answer(call);
    return IcmpReturn{};
  });
  EchoTransport& transport = Open({.max_in_flight = 64});
  constexpr std::uint64_t kRequests = 5000;
  std::uint64_t sent = 0;
  while (sent < kRequests) {
    if (transport.in_flight() < transport.max_in_flight()) {
      transport.Send(Request(sent++));
    } else {
      std::this_thread::yield();
    }
  }
  EXPECT_TRUE(transport.Drain(seconds(300)));
  const auto results = results_.Get();
  ASSERT_EQ(results.size(), kRequests);
  std::vector<int> seen(kRequests, 0);
  for (const EchoResult& result : results) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
    ++seen[result.tag];
  }
  for (std::uint64_t tag = 0; tag < kRequests; ++tag) {
    ASSERT_EQ(seen[tag], 1) << tag;
  }
}

}  // namespace
}  // namespace echo_exporter
