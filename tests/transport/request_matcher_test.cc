#include "src/transport/request_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr SteadyTime kStart{std::chrono::hours(1)};
constexpr Nanoseconds kTimeout = seconds(1);
// More than there are sequence numbers. Each test makes a table for them.
constexpr std::size_t kMaxInFlight = kSanitizers ? 100'000 : 200'000;

IpAddress Address(const std::string& text) { return *IpAddress::Parse(text); }

const IpAddress kHost = Address("192.0.2.1");
const IpAddress kOtherHost = Address("192.0.2.2");
const IpAddress kRouter = Address("203.0.113.1");

// A request, and what a reply to it, or an error about it, would carry.
struct Sent {
  RequestRecord* record = nullptr;
  std::uint16_t sequence = 0;
  IpAddress destination;
  std::vector<std::uint8_t> payload;
};

class RequestMatcherTest : public testing::Test {
 protected:
  Sent Begin(std::uint64_t tag, const IpAddress& destination = kHost,
             std::uint16_t payload_size = 32, Nanoseconds timeout = kTimeout,
             SteadyTime now = kStart) {
    EchoRequest request;
    request.tag = tag;
    request.destination = destination;
    request.payload_size = payload_size;
    request.timeout = timeout;
    const std::uint64_t cookie = cookies_();
    Sent sent;
    sent.record = matcher_.Begin(request, cookie, now);
    if (sent.record == nullptr) return sent;
    sent.sequence = sent.record->sequence();
    sent.destination = destination;
    sent.payload.resize(kIcmpHeaderSize + payload_size);
    WriteEchoRequest(IpVersion::kV4, 1, sent.sequence, cookie, payload_size,
                     sent.payload.data());
    sent.payload.erase(sent.payload.begin(),
                       sent.payload.begin() + kIcmpHeaderSize);
    return sent;
  }

  static Arrival ReplyTo(const Sent& sent, Nanoseconds after) {
    Arrival arrival;
    arrival.message.sequence = sent.sequence;
    arrival.message.payload = sent.payload;
    arrival.peer = sent.destination;
    arrival.ttl = 57;
    arrival.time = kStart + after;
    return arrival;
  }

  // The bytes must outlive the arrival.
  static Arrival ReplyWith(const Sent& sent,
                           const std::vector<std::uint8_t>& payload) {
    Arrival arrival = ReplyTo(sent, milliseconds(1));
    arrival.message.payload = payload;
    return arrival;
  }

  static Arrival ErrorAbout(const Sent& sent, std::size_t quoted) {
    Arrival arrival = ReplyTo(sent, milliseconds(2));
    arrival.message.payload = arrival.message.payload.first(quoted);
    arrival.ttl.reset();
    arrival.error = ArrivedError{.outcome = EchoOutcome::kPacketTooBig,
                                 .os_code = 0x304,
                                 .mtu = 1280,
                                 .offender = kRouter};
    return arrival;
  }

  // With an error, everything that had arrived by then.
  void Classify(const Arrival& arrival) {
    matcher_.Classify(arrival, arrival.time);
    if (arrival.error) matcher_.Expire(arrival.time);
  }

  RequestMatcher::Verdicts Take() {
    RequestMatcher::Verdicts verdicts;
    matcher_.TakeVerdicts(&verdicts);
    return verdicts;
  }

  // The outcome of the one request that has ended since the last look.
  EchoOutcome TakeOutcome() {
    const auto verdicts = Take();
    EXPECT_EQ(verdicts.results.size(), 1U);
    return verdicts.results.empty() ? EchoOutcome::kOther
                                    : verdicts.results.front().outcome;
  }

  using Outcome = std::pair<std::uint64_t, EchoOutcome>;

  static std::vector<Outcome> Outcomes(
      const RequestMatcher::Verdicts& verdicts) {
    std::vector<Outcome> outcomes;
    for (const EchoResult& result : verdicts.results) {
      outcomes.emplace_back(result.tag, result.outcome);
    }
    return outcomes;
  }

  RequestMatcher matcher_{kMaxInFlight};
  std::mt19937_64 cookies_{1};
};

TEST_F(RequestMatcherTest, TellsEverythingAboutAReply) {
  const Sent sent = Begin(7);
  matcher_.Classify(ReplyTo(sent, milliseconds(25)), kStart + milliseconds(27));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  const EchoResult& result = verdicts.results.front();
  EXPECT_EQ(result.tag, 7U);
  EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  EXPECT_EQ(result.rtt, milliseconds(25));
  EXPECT_EQ(result.completion_delay, milliseconds(2));
  EXPECT_EQ(result.reply_ttl, 57);
  EXPECT_EQ(result.responder, kHost);
  EXPECT_EQ(result.os_code, 0U);
  EXPECT_THAT(verdicts.strays, IsEmpty());
  EXPECT_EQ(verdicts.foreign_replies, 0U);
}

TEST_F(RequestMatcherTest, MeasuresFromTheSendingAndNotFromTheBeginning) {
  const Sent sent = Begin(1);
  sent.record->set_sent(kStart + milliseconds(10));
  Classify(ReplyTo(sent, milliseconds(25)));
  EXPECT_EQ(Take().results.at(0).rtt, milliseconds(15));
}

TEST_F(RequestMatcherTest, NeverTellsANegativeTime) {
  // Clocks of the kernel and of the process may disagree by a microsecond.
  const Sent sent = Begin(1);
  matcher_.Classify(ReplyTo(sent, -milliseconds(1)), kStart - milliseconds(2));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
  EXPECT_EQ(verdicts.results.front().rtt, Nanoseconds(0));
  EXPECT_EQ(verdicts.results.front().completion_delay, Nanoseconds(0));
}

TEST_F(RequestMatcherTest, TakesAReplyExactlyAtTheTimeout) {
  Classify(ReplyTo(Begin(1), kTimeout));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
  EXPECT_EQ(verdicts.results.front().rtt, kTimeout);
  EXPECT_THAT(verdicts.strays, IsEmpty());
}

TEST_F(RequestMatcherTest, TakesAReplyANanosecondLaterForATimeout) {
  Classify(ReplyTo(Begin(1), kTimeout + Nanoseconds(1)));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kTimeout);
  EXPECT_THAT(verdicts.strays, ElementsAre(Pair(1, StrayReply::kLate)));
}

TEST_F(RequestMatcherTest, TakesAReplyThatWasReadLateForAReply) {
  const Sent sent = Begin(1);
  matcher_.Classify(ReplyTo(sent, kTimeout - Nanoseconds(1)),
                    kStart + seconds(30));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
  EXPECT_EQ(verdicts.results.front().completion_delay,
            seconds(29) + Nanoseconds(1));
}

TEST_F(RequestMatcherTest, DoesNotLetALateReplyChangeTheOutcome) {
  const Sent sent = Begin(1);
  matcher_.Expire(kStart + kTimeout);
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kTimeout);
  for (int i = 0; i < 3; ++i) {
    Classify(ReplyTo(sent, kTimeout + seconds(i)));
    const auto verdicts = Take();
    EXPECT_THAT(verdicts.results, IsEmpty());
    EXPECT_THAT(verdicts.strays, ElementsAre(Pair(1, StrayReply::kLate)));
    EXPECT_EQ(verdicts.foreign_replies, 0U);
  }
}

TEST_F(RequestMatcherTest, CountsASecondReplyAsDuplicate) {
  const Sent sent = Begin(1);
  Classify(ReplyTo(sent, milliseconds(1)));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);
  // Also when the timeout is over.
  for (const Nanoseconds after : {Nanoseconds(milliseconds(2)), 2 * kTimeout}) {
    Classify(ReplyTo(sent, after));
    const auto verdicts = Take();
    EXPECT_THAT(verdicts.results, IsEmpty());
    EXPECT_THAT(verdicts.strays, ElementsAre(Pair(1, StrayReply::kDuplicate)));
  }
}

TEST_F(RequestMatcherTest, CountsAReplyAfterAnErrorAsLate) {
  const Sent sent = Begin(1);
  Classify(ErrorAbout(sent, 32));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kPacketTooBig);
  Classify(ReplyTo(sent, milliseconds(3)));
  const auto verdicts = Take();
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_THAT(verdicts.strays, ElementsAre(Pair(1, StrayReply::kLate)));
}

TEST_F(RequestMatcherTest, KnowsALateReplyAfterThousandsOfLaterRequests) {
  const Sent sent = Begin(1);
  matcher_.Expire(kStart + kTimeout);
  for (std::uint64_t tag = 2; tag < 100'000; ++tag) {
    Classify(ReplyTo(Begin(tag), milliseconds(1)));
  }
  Take();
  Classify(ReplyTo(sent, seconds(9)));
  EXPECT_THAT(Take().strays, ElementsAre(Pair(1, StrayReply::kLate)));
}

TEST_F(RequestMatcherTest, EndsByAWrongCookieOnlyAtTheDeadline) {
  const Sent sent = Begin(1);
  const Sent other = Begin(2, kOtherHost);
  Classify(ReplyWith(sent, other.payload));
  auto verdicts = Take();
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_EQ(verdicts.foreign_replies, 1U);
  matcher_.Expire(kStart + kTimeout - Nanoseconds(1));
  EXPECT_THAT(Take().results, IsEmpty());
  matcher_.Expire(kStart + kTimeout);
  verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 2U);
  for (const EchoResult& result : verdicts.results) {
    EXPECT_EQ(result.outcome, result.tag == 1 ? EchoOutcome::kCorruptReply
                                              : EchoOutcome::kTimeout);
  }
}

TEST_F(RequestMatcherTest, LetsATrueReplyWinAfterAWrongCookie) {
  const Sent sent = Begin(1);
  const auto forged = Begin(2, kOtherHost).payload;
  for (int i = 0; i < 100; ++i) Classify(ReplyWith(sent, forged));
  EXPECT_THAT(Take().results, IsEmpty());
  Classify(ReplyTo(sent, milliseconds(5)));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
  EXPECT_THAT(verdicts.strays, IsEmpty());
}

TEST_F(RequestMatcherTest, LetsWinWhatArrivedFirstWhateverIsReadFirst) {
  const Sent replied = Begin(1);
  const Sent failed = Begin(2);
  // At 2 ms each.
  matcher_.Classify(ErrorAbout(replied, 28), kStart + milliseconds(5));
  matcher_.Classify(ErrorAbout(failed, 28), kStart + milliseconds(5));
  EXPECT_THAT(Take().results, IsEmpty());
  EXPECT_EQ(matcher_.NextDeadline(), SteadyTime::min());

  Classify(ReplyTo(replied, milliseconds(2)));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);
  Classify(ReplyTo(failed, milliseconds(2) + Nanoseconds(1)));
  const auto verdicts = Take();
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_THAT(verdicts.strays, ElementsAre(Pair(2U, StrayReply::kLate)));

  matcher_.Expire(kStart + milliseconds(1));
  EXPECT_THAT(Take().results, IsEmpty()) << "a reply may have come before it";
  matcher_.Expire(kStart + milliseconds(2));
  EXPECT_THAT(Outcomes(Take()),
              ElementsAre(Pair(2U, EchoOutcome::kPacketTooBig)));
  EXPECT_EQ(matcher_.NextDeadline(), kStart + kTimeout);
}

TEST_F(RequestMatcherTest, EndsNothingByAMessageThatIsNoError) {
  const Sent sent = Begin(1);
  Arrival redirect = ErrorAbout(sent, 28);
  redirect.error->outcome.reset();
  Classify(redirect);
  EXPECT_THAT(Take().results, IsEmpty());
  Classify(ReplyTo(sent, milliseconds(3)));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);
}

TEST_F(RequestMatcherTest, EndsNothingByAnErrorAfterTheTimeout) {
  const Sent sent = Begin(1);
  Arrival late = ErrorAbout(sent, 28);
  late.time = kStart + kTimeout + Nanoseconds(1);
  Classify(late);
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kTimeout);
}

TEST_F(RequestMatcherTest, LeavesARequestToItsSenderInSpiteOfAnError) {
  const Sent sent = Begin(1);
  matcher_.Classify(ErrorAbout(sent, 28), kStart + milliseconds(2));
  EXPECT_TRUE(matcher_.EndUnsent(*sent.record));
  matcher_.Expire(kStart + kTimeout);
  EXPECT_THAT(Take().results, IsEmpty());
}

TEST_F(RequestMatcherTest, LetsAnErrorWinAfterAWrongCookie) {
  const Sent sent = Begin(1);
  Classify(ReplyWith(sent, Begin(2, kOtherHost).payload));
  Classify(ErrorAbout(sent, 32));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kPacketTooBig);
}

TEST_F(RequestMatcherTest, DoesNotMarkTheNextRequestOfARecordAsCorrupted) {
  RequestMatcher small(1);
  EchoRequest request;
  request.destination = kHost;
  request.payload_size = 32;
  request.timeout = kTimeout;
  RequestRecord* record = small.Begin(request, 1, kStart);
  Arrival forged;
  forged.message.sequence = record->sequence();
  forged.peer = kHost;
  forged.time = kStart;
  small.Classify(forged, kStart);
  RequestMatcher::Verdicts verdicts;
  // A round of the ring: the record is used again.
  for (int i = 0; i < 65536; ++i) {
    small.Expire(kStart + kTimeout);
    static_cast<void>(small.Begin(request, 1, kStart));
  }
  small.Expire(kStart + kTimeout);
  small.TakeVerdicts(&verdicts);
  ASSERT_EQ(verdicts.results.size(), 65537U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kCorruptReply);
  EXPECT_EQ(verdicts.results.back().outcome, EchoOutcome::kTimeout);
}

TEST_F(RequestMatcherTest, TakesADamagedPayloadFromTheHostForCorrupt) {
  struct Case {
    std::string name;
    std::vector<std::uint8_t> payload;
  };
  const Sent model = Begin(0);
  std::vector<Case> cases = {{"empty", {}}};
  for (const std::size_t left : {1, 7, 8, 31}) {
    cases.push_back({"truncated to " + std::to_string(left), {}});
    cases.back().payload.resize(left);
  }
  cases.push_back({"longer", {}});
  cases.back().payload.resize(33);
  for (const Case& damaged : cases) {
    SCOPED_TRACE(damaged.name);
    const Sent sent = Begin(1, kOtherHost, 32, milliseconds(10));
    auto payload = sent.payload;
    payload.resize(damaged.payload.size());
    Classify(ReplyWith(sent, payload));
    matcher_.Expire(kStart + milliseconds(10));
    const auto verdicts = Take();
    EXPECT_EQ(verdicts.foreign_replies, 1U);
    ASSERT_EQ(verdicts.results.size(), 1U);
    EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kCorruptReply);
  }
}

TEST_F(RequestMatcherTest, TakesTheRightCookieFromAnotherHostForCorrupt) {
  const Sent sent = Begin(1);
  Arrival reply = ReplyTo(sent, milliseconds(3));
  reply.peer = kOtherHost;
  Classify(reply);
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kCorruptReply);
  EXPECT_EQ(verdicts.results.front().responder, kOtherHost);
  EXPECT_EQ(verdicts.foreign_replies, 0U);
}

TEST_F(RequestMatcherTest, IgnoresAWrongCookieFromAnotherHost) {
  const Sent sent = Begin(1);
  Arrival reply = ReplyWith(sent, Begin(2, kOtherHost).payload);
  reply.peer = kRouter;
  const auto payload = std::vector<std::uint8_t>(32, 0);
  reply.message.payload = payload;
  Classify(reply);
  EXPECT_EQ(Take().foreign_replies, 1U);
  matcher_.Expire(kStart + kTimeout);
  for (const EchoResult& result : Take().results) {
    EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  }
}

TEST_F(RequestMatcherTest, IgnoresTheRightPayloadWithAnotherSequenceNumber) {
  const Sent sent = Begin(1);
  Arrival reply = ReplyTo(sent, milliseconds(1));
  ++reply.message.sequence;
  Classify(reply);
  const auto verdicts = Take();
  EXPECT_EQ(verdicts.foreign_replies, 1U);
  EXPECT_THAT(verdicts.results, IsEmpty());
  matcher_.Expire(kStart + kTimeout);
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kTimeout);
}

TEST_F(RequestMatcherTest, CountsRepliesToNothingAsForeign) {
  Arrival reply;
  reply.peer = kHost;
  reply.time = kStart;
  for (int sequence = 0; sequence < 65536; ++sequence) {
    reply.message.sequence = static_cast<std::uint16_t>(sequence);
    Classify(reply);
  }
  const auto verdicts = Take();
  EXPECT_EQ(verdicts.foreign_replies, 65536U);
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_THAT(verdicts.strays, IsEmpty());
}

TEST_F(RequestMatcherTest, MatchesPayloadsTooShortForACookieByTheHost) {
  for (std::uint16_t size = 0; size < kCookieSize; ++size) {
    SCOPED_TRACE(size);
    const Sent sent = Begin(size, kHost, size);
    Arrival elsewhere = ReplyTo(sent, milliseconds(1));
    elsewhere.peer = kOtherHost;
    Classify(elsewhere);
    auto verdicts = Take();
    EXPECT_THAT(verdicts.results, IsEmpty());
    EXPECT_EQ(verdicts.foreign_replies, 1U);

    Classify(ReplyTo(sent, milliseconds(2)));
    verdicts = Take();
    ASSERT_EQ(verdicts.results.size(), 1U);
    EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
    EXPECT_EQ(verdicts.results.front().tag, size);
    Classify(ReplyTo(sent, milliseconds(3)));
    EXPECT_THAT(Take().strays, ElementsAre(Pair(size, StrayReply::kDuplicate)));
  }
}

TEST_F(RequestMatcherTest, TakesTheZoneThatTheSystemSawForTheOneLeftOpen) {
  for (const std::uint16_t size : std::array<std::uint16_t, 2>{0, 32}) {
    SCOPED_TRACE(size);
    const Sent sent = Begin(1, Address("fe80::1"), size);
    Arrival reply = ReplyTo(sent, milliseconds(1));
    reply.peer = Address("fe80::1%3");
    Classify(reply);
    EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);

    const Sent failed = Begin(2, Address("fe80::1"), size);
    Arrival error = ErrorAbout(failed, size);
    error.peer = Address("fe80::1%3");
    Classify(error);
    EXPECT_EQ(TakeOutcome(), EchoOutcome::kPacketTooBig);
  }
}

TEST_F(RequestMatcherTest, TellsZonesApart) {
  const Sent sent = Begin(1, Address("fe80::1%2"));
  Arrival reply = ReplyTo(sent, milliseconds(1));
  reply.peer = Address("fe80::1%3");
  Classify(reply);
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kCorruptReply);
}

TEST_F(RequestMatcherTest, TellsRequestsWithoutPayloadApartByHost) {
  // The same sequence number, 65,536 requests apart.
  const Sent first = Begin(1, kHost, 0);
  for (int i = 1; i < 65536; ++i) Begin(0, kRouter);
  const Sent second = Begin(2, kOtherHost, 0);
  ASSERT_EQ(first.sequence, second.sequence);
  Classify(ReplyTo(second, milliseconds(1)));
  Classify(ReplyTo(first, milliseconds(2)));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 2U);
  EXPECT_EQ(verdicts.results[0].tag, 2U);
  EXPECT_EQ(verdicts.results[1].tag, 1U);
}

TEST_F(RequestMatcherTest, GivesEachOfManyMoreThan65536ItsOwnReply) {
  constexpr std::size_t kRequests = kMaxInFlight / 4 * 3;
  static_assert(kRequests > 65536);
  std::vector<Sent> sent;
  for (std::size_t i = 0; i < kRequests; ++i) {
    sent.push_back(Begin(i, kHost, 12));
    ASSERT_NE(sent.back().record, nullptr);
  }
  std::vector<std::size_t> order(kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), cookies_);
  for (const std::size_t i : order) Classify(ReplyTo(sent[i], milliseconds(1)));
  const auto verdicts = Take();
  EXPECT_EQ(verdicts.foreign_replies, 0U);
  EXPECT_THAT(verdicts.strays, IsEmpty());
  ASSERT_EQ(verdicts.results.size(), kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(verdicts.results[i].tag, order[i]);
    ASSERT_EQ(verdicts.results[i].outcome, EchoOutcome::kReply);
  }
}

TEST_F(RequestMatcherTest, TellsALateReplyFromTheReplyWithItsSequenceNumber) {
  const Sent late = Begin(1);
  matcher_.Expire(kStart + kTimeout);
  for (int i = 1; i < 65536; ++i) Begin(0, kRouter, 0);
  const Sent current = Begin(2);
  ASSERT_EQ(late.sequence, current.sequence);
  Take();
  Classify(ReplyTo(late, milliseconds(1)));
  auto verdicts = Take();
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_THAT(verdicts.strays, ElementsAre(Pair(1, StrayReply::kLate)));
  Classify(ReplyTo(current, milliseconds(2)));
  verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1U);
  EXPECT_EQ(verdicts.results.front().tag, 2U);
  EXPECT_EQ(verdicts.results.front().outcome, EchoOutcome::kReply);
}

TEST_F(RequestMatcherTest, TakesAnErrorThatQuotesAsLittleAsTheHeader) {
  for (const std::size_t quoted : {0, 1, 7, 8, 20, 32}) {
    SCOPED_TRACE(quoted);
    Classify(ErrorAbout(Begin(quoted), quoted));
    const auto verdicts = Take();
    ASSERT_EQ(verdicts.results.size(), 1U);
    const EchoResult& result = verdicts.results.front();
    EXPECT_EQ(result.tag, quoted);
    EXPECT_EQ(result.outcome, EchoOutcome::kPacketTooBig);
    EXPECT_EQ(result.os_code, 0x304U);
    EXPECT_EQ(result.mtu, 1280U);
    EXPECT_EQ(result.responder, kRouter);
    EXPECT_EQ(result.reply_ttl, std::nullopt);
    EXPECT_EQ(result.rtt, milliseconds(2));
  }
}

TEST_F(RequestMatcherTest, IgnoresAnErrorThatQuotesAnotherCookie) {
  for (const std::size_t quoted : {8, 32}) {
    const Sent sent = Begin(1);
    Sent forged = sent;
    forged.payload[quoted == 8 ? 7 : 0] ^= 1;
    Classify(ErrorAbout(forged, quoted));
    const auto verdicts = Take();
    EXPECT_THAT(verdicts.results, IsEmpty());
    EXPECT_EQ(verdicts.foreign_replies, 0U) << "it is no reply";
    Classify(ReplyTo(sent, milliseconds(3)));
    EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);
  }
}

TEST_F(RequestMatcherTest, IgnoresAnErrorAboutAnotherDestination) {
  const Sent sent = Begin(1);
  Arrival error = ErrorAbout(sent, 32);
  error.peer = kOtherHost;
  Classify(error);
  EXPECT_THAT(Take().results, IsEmpty());
  Classify(ReplyTo(sent, milliseconds(3)));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kReply);
}

TEST_F(RequestMatcherTest, IgnoresAnErrorAboutARequestThatHasEnded) {
  const Sent answered = Begin(1);
  Classify(ReplyTo(answered, milliseconds(1)));
  const Sent timed_out = Begin(2);
  matcher_.Expire(kStart + kTimeout);
  Take();
  for (const Sent& sent : {answered, timed_out}) Classify(ErrorAbout(sent, 32));
  const auto verdicts = Take();
  EXPECT_THAT(verdicts.results, IsEmpty());
  EXPECT_THAT(verdicts.strays, IsEmpty());
}

TEST_F(RequestMatcherTest, BlamesThisHostForWhatItSentLate) {
  Begin(1).record->set_send_took(Nanoseconds(-1));
  Begin(2).record->set_send_took(milliseconds(101));
  Begin(3).record->set_send_took(milliseconds(100));
  const Sent replied = Begin(4);
  replied.record->set_send_took(2 * kTimeout);
  Classify(ReplyTo(replied, 2 * kTimeout + milliseconds(1)));
  matcher_.Expire(kStart + kTimeout);
  EXPECT_THAT(Outcomes(Take()),
              UnorderedElementsAre(Pair(1U, EchoOutcome::kNoResources),
                                   Pair(2U, EchoOutcome::kNoResources),
                                   Pair(3U, EchoOutcome::kTimeout),
                                   Pair(4U, EchoOutcome::kNoResources)));
}

TEST_F(RequestMatcherTest, ExpiresInTheOrderOfDeadlines) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    Begin(i, kHost, 32, milliseconds(1 + i * 7919 % 1000));
  }
  matcher_.Expire(kStart + seconds(2));
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(1 + verdicts.results[i].tag * 7919 % 1000, i + 1);
    ASSERT_EQ(verdicts.results[i].outcome, EchoOutcome::kTimeout);
    ASSERT_EQ(verdicts.results[i].rtt, seconds(2));
  }
}

TEST_F(RequestMatcherTest, ExpiresNothingBeforeItsTime) {
  Begin(1, kHost, 32, milliseconds(10));
  Begin(2, kHost, 32, milliseconds(20));
  EXPECT_EQ(matcher_.NextDeadline(), kStart + milliseconds(10));
  matcher_.Expire(kStart + milliseconds(10) - Nanoseconds(1));
  EXPECT_THAT(Take().results, IsEmpty());
  matcher_.Expire(kStart + milliseconds(10));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kTimeout);
  EXPECT_EQ(matcher_.NextDeadline(), kStart + milliseconds(20));
}

TEST_F(RequestMatcherTest, BeginsNoMoreThanMayBeInFlight) {
  for (std::size_t i = 0; i < kMaxInFlight; ++i) {
    ASSERT_NE(Begin(i, kHost, 0).record, nullptr);
  }
  EXPECT_EQ(Begin(0).record, nullptr);
  matcher_.Expire(kStart + kTimeout);
  EXPECT_EQ(Take().results.size(), kMaxInFlight);
  EXPECT_NE(Begin(0).record, nullptr);
}

TEST_F(RequestMatcherTest, EndsAllAsTimeoutWhenAbandoned) {
  Classify(ReplyTo(Begin(1000), milliseconds(1)));
  Take();
  for (std::uint64_t i = 0; i < 100; ++i) Begin(i);
  matcher_.Abandon();
  const auto verdicts = Take();
  ASSERT_EQ(verdicts.results.size(), 100U);
  for (const EchoResult& result : verdicts.results) {
    EXPECT_LT(result.tag, 100U);
    EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  }
  matcher_.Abandon();
  EXPECT_THAT(Take().results, IsEmpty());
}

TEST_F(RequestMatcherTest, EndsAsSuspendedWhateverASuspensionCameOver) {
  matcher_.SetSuspendedTime(hours(5));
  const Sent answered = Begin(1);
  const Sent late = Begin(2);
  const Sent failed = Begin(3);
  Begin(4);
  matcher_.SetSuspendedTime(hours(6));
  matcher_.Classify(ReplyTo(answered, milliseconds(1)), kStart + kTimeout);
  matcher_.Classify(ReplyTo(late, 2 * kTimeout), kStart + 2 * kTimeout);
  matcher_.Classify(ErrorAbout(failed, 28), kStart + kTimeout);
  Begin(5);
  matcher_.Expire(kStart + kTimeout);
  const RequestMatcher::Verdicts verdicts = Take();
  EXPECT_THAT(Outcomes(verdicts),
              UnorderedElementsAre(Pair(1U, EchoOutcome::kSuspended),
                                   Pair(2U, EchoOutcome::kSuspended),
                                   Pair(3U, EchoOutcome::kSuspended),
                                   Pair(4U, EchoOutcome::kSuspended),
                                   Pair(5U, EchoOutcome::kTimeout)));
  EXPECT_THAT(verdicts.strays, IsEmpty());

  matcher_.Classify(ReplyTo(answered, milliseconds(2)), kStart + kTimeout);
  EXPECT_THAT(Take().strays, ElementsAre(Pair(1U, StrayReply::kLate)));
}

TEST_F(RequestMatcherTest, TakesNoNoticeOfShortSuspensionsAndEarlierOnes) {
  Begin(1);
  matcher_.SetSuspendedTime(kShortestSuspension);
  matcher_.Expire(kStart + kTimeout);
  matcher_.SetSuspendedTime(hours(8));
  const Sent sent = Begin(2);
  // As read by a slower thread.
  matcher_.SetSuspendedTime(hours(1));
  matcher_.Classify(ReplyTo(sent, milliseconds(1)), kStart + kTimeout);
  EXPECT_THAT(Outcomes(Take()), ElementsAre(Pair(1U, EchoOutcome::kTimeout),
                                            Pair(2U, EchoOutcome::kReply)));
}

TEST_F(RequestMatcherTest, EndsAsSuspendedWhenAbandonedAfterASuspension) {
  Begin(1);
  matcher_.SetSuspendedTime(hours(1));
  matcher_.Abandon();
  EXPECT_THAT(Outcomes(Take()), ElementsAre(Pair(1U, EchoOutcome::kSuspended)));
}

TEST_F(RequestMatcherTest, LeavesTheResultOfAnUnsentRequestToItsSender) {
  const Sent sent = Begin(1);
  EXPECT_TRUE(matcher_.EndUnsent(*sent.record));
  EXPECT_FALSE(matcher_.EndUnsent(*sent.record));
  matcher_.Expire(kStart + kTimeout);
  matcher_.Abandon();
  EXPECT_THAT(Take().results, IsEmpty());
}

TEST_F(RequestMatcherTest, HasNoUnsentRequestThatHasEnded) {
  // An error may come in before the failed call of send returns.
  const Sent sent = Begin(1);
  Classify(ErrorAbout(sent, 32));
  EXPECT_FALSE(matcher_.EndUnsent(*sent.record));
  EXPECT_EQ(TakeOutcome(), EchoOutcome::kPacketTooBig);
}

}  // namespace
}  // namespace echo_exporter
