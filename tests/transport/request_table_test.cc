#include "src/transport/request_table.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using State = RequestRecord::State;

constexpr SteadyTime kOpened{std::chrono::hours(1)};
constexpr std::size_t kSequences = 65536;

EchoRequest Request(std::uint64_t tag, Nanoseconds timeout = seconds(1)) {
  EchoRequest request;
  request.tag = tag;
  request.destination = *IpAddress::Parse("192.0.2.1");
  request.timeout = timeout;
  request.payload_size = 32;
  return request;
}

RequestRecord* FindByCookie(RequestTable& table, std::uint16_t sequence,
                            std::uint64_t cookie) {
  return table.Find(sequence, [cookie](const RequestRecord& record) {
    return record.cookie == cookie;
  });
}

RequestRecord* FindAny(RequestTable& table, std::uint16_t sequence) {
  return table.Find(sequence, [](const RequestRecord&) { return true; });
}

TEST(RequestTableTest, HasNothingAtFirst) {
  RequestTable table(10);
  EXPECT_EQ(table.in_flight(), 0U);
  EXPECT_EQ(table.NextDeadline(), std::nullopt);
  EXPECT_EQ(table.FindExpired(kOpened), nullptr);
  EXPECT_EQ(FindAny(table, 0), nullptr);
}

TEST(RequestTableTest, KeepsWhatTheRequestSays) {
  RequestTable table(10);
  const RequestRecord* const record =
      table.Begin(Request(7, seconds(3)), 42, kOpened);
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->tag, 7U);
  EXPECT_EQ(record->cookie, 42U);
  EXPECT_EQ(record->destination, IpAddress::Parse("192.0.2.1"));
  EXPECT_EQ(record->timeout, seconds(3));
  EXPECT_EQ(record->payload_size, 32);
  EXPECT_EQ(record->state, State::kInFlight);
  EXPECT_FALSE(record->corrupted);
  EXPECT_EQ(record->sent(), kOpened);
  EXPECT_EQ(table.in_flight(), 1U);
}

TEST(RequestTableTest, BeginsNoMoreThanMayBeInFlight) {
  for (const std::size_t limit : {1, 2, 1000}) {
    RequestTable table(limit);
    std::vector<RequestRecord*> records;
    for (std::size_t i = 0; i < limit; ++i) {
      records.push_back(table.Begin(Request(i), i, kOpened));
      ASSERT_NE(records.back(), nullptr);
    }
    EXPECT_EQ(table.Begin(Request(limit), limit, kOpened), nullptr);
    EXPECT_EQ(table.in_flight(), limit);
    table.End(*records[limit / 2], State::kAnswered);
    EXPECT_NE(table.Begin(Request(limit), limit, kOpened), nullptr);
    EXPECT_EQ(table.Begin(Request(limit), limit, kOpened), nullptr);
  }
}

TEST(RequestTableTest, FindsMoreRequestsThanThereAreSequenceNumbers) {
  constexpr std::size_t kRequests = 200'000;
  RequestTable table(kRequests);
  std::vector<const RequestRecord*> records;
  for (std::size_t i = 0; i < kRequests; ++i) {
    records.push_back(table.Begin(Request(i), i + 1, kOpened));
    ASSERT_NE(records.back(), nullptr);
  }
  EXPECT_EQ(table.in_flight(), kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    const RequestRecord* const found =
        FindByCookie(table, records[i]->sequence(), i + 1);
    ASSERT_EQ(found, records[i]);
    ASSERT_EQ(found->tag, i);
  }
}

TEST(RequestTableTest, ServesTheMostThatMayBeAskedFor) {
  constexpr std::size_t kRequests = kSanitizers ? 100'000 : 1'000'000;
  RequestTable table(kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_NE(table.Begin(Request(i), i, kOpened), nullptr);
  }
  EXPECT_EQ(table.Begin(Request(0), 0, kOpened), nullptr);
}

TEST(RequestTableTest, UsesEverySequenceNumberInTurnAndWraps) {
  RequestTable table(10);
  RequestRecord* record = table.Begin(Request(0), 0, kOpened);
  std::uint16_t expected = record->sequence();
  for (std::size_t i = 1; i < 3 * kSequences; ++i) {
    table.End(*record, State::kAnswered);
    record = table.Begin(Request(i), i, kOpened);
    ASSERT_EQ(record->sequence(), ++expected);
  }
}

TEST(RequestTableTest, PassesOverTheRecordOfARequestStillInFlight) {
  RequestTable table(2);
  const RequestRecord* const slow = table.Begin(Request(0), 99, kOpened);
  const std::uint16_t sequence = slow->sequence();
  for (std::size_t i = 1; i < 3 * kSequences; ++i) {
    RequestRecord* const record = table.Begin(Request(i), i, kOpened);
    ASSERT_NE(record, nullptr);
    ASSERT_NE(record, slow);
    table.End(*record, State::kAnswered);
  }
  EXPECT_EQ(slow->tag, 0U);
  EXPECT_EQ(slow->state, State::kInFlight);
  EXPECT_EQ(FindByCookie(table, sequence, 99), slow);
}

TEST(RequestTableTest, RemembersARequestLongAfterItsEnd) {
  for (const std::size_t limit : {1, 4096, 40'000}) {
    RequestTable table(limit);
    RequestRecord* const first = table.Begin(Request(0), 99, kOpened);
    const std::uint16_t sequence = first->sequence();
    table.End(*first, State::kTimedOut);
    for (std::size_t i = 1; i < std::max(kSequences, 2 * limit); ++i) {
      table.End(*table.Begin(Request(i), i + 1000, kOpened), State::kAnswered);
    }
    const RequestRecord* const found = FindByCookie(table, sequence, 99);
    ASSERT_NE(found, nullptr) << limit;
    EXPECT_EQ(found->state, State::kTimedOut);
    EXPECT_EQ(found->tag, 0U);
  }
}

TEST(RequestTableTest, FindsARequestInFlightBeforeOnesThatHaveEnded) {
  // Two rounds of sequence numbers fit.
  RequestTable table(kSequences);
  RequestRecord* const older = table.Begin(Request(1), 5, kOpened);
  for (std::size_t i = 1; i < kSequences; ++i) {
    table.End(*table.Begin(Request(0), 0, kOpened), State::kAnswered);
  }
  RequestRecord* const newer = table.Begin(Request(2), 5, kOpened);
  ASSERT_EQ(older->sequence(), newer->sequence());
  table.End(*newer, State::kAnswered);
  EXPECT_EQ(FindByCookie(table, older->sequence(), 5), older);
  table.End(*older, State::kAnswered);
  EXPECT_EQ(FindByCookie(table, older->sequence(), 5), newer)
      << "of those that have ended, the latest";
  EXPECT_EQ(FindByCookie(table, older->sequence(), 6), nullptr);
}

TEST(RequestTableTest, ExpiresExactlyAtTheDeadline) {
  RequestTable table(10);
  RequestRecord* const record = table.Begin(Request(0), 0, kOpened);
  EXPECT_EQ(table.NextDeadline(), kOpened + seconds(1));
  EXPECT_EQ(table.FindExpired(kOpened + seconds(1) - Nanoseconds(1)), nullptr);
  EXPECT_EQ(table.FindExpired(kOpened + seconds(1)), record);
}

TEST(RequestTableTest, ExpiresInTheOrderOfDeadlines) {
  RequestTable table(2000);
  std::multiset<SteadyTime> deadlines;
  for (int i = 0; i < 2000; ++i) {
    const SteadyTime now = kOpened + milliseconds(i);
    const Nanoseconds timeout = milliseconds(1 + i * 7919 % 5000);
    table.Begin(Request(static_cast<std::uint64_t>(i), timeout), 0, now);
    deadlines.insert(now + timeout);
  }
  for (const SteadyTime deadline : deadlines) {
    ASSERT_EQ(table.FindExpired(deadline - Nanoseconds(1)), nullptr);
    ASSERT_EQ(table.NextDeadline(), deadline);
    RequestRecord* const record = table.FindExpired(deadline);
    ASSERT_NE(record, nullptr);
    ASSERT_EQ(record->sent() + record->timeout, deadline);
    table.End(*record, State::kTimedOut);
  }
  EXPECT_EQ(table.in_flight(), 0U);
}

TEST(RequestTableTest, NeverExpiresARequestThatHasEnded) {
  RequestTable table(10);
  RequestRecord* const ended = table.Begin(Request(0), 0, kOpened);
  RequestRecord* const other = table.Begin(Request(1), 0, kOpened);
  table.End(*ended, State::kAnswered);
  ASSERT_EQ(table.FindExpired(kOpened + seconds(1)), other);
  table.End(*other, State::kTimedOut);
  EXPECT_EQ(table.FindExpired(kOpened + seconds(9)), nullptr);
  EXPECT_EQ(table.NextDeadline(), std::nullopt);
}

TEST(RequestTableTest, DoesNotExpireTheNextRequestByTheDeadlineOfAnEarlierOne) {
  // So many are in flight that the deadline is still there a round later, when
  // the record is used again.
  constexpr std::size_t kInFlight = 32'000;
  RequestTable table(32'768);
  RequestRecord* const first =
      table.Begin(Request(0, milliseconds(1)), 0, kOpened);
  table.End(*first, State::kAnswered);
  for (std::size_t i = 0; i < kInFlight; ++i) {
    table.Begin(Request(i, seconds(60)), 0, kOpened);
  }
  RequestRecord* record = nullptr;
  for (;;) {
    record = table.Begin(Request(1, seconds(60)), 0, kOpened);
    if (record == first) break;
    table.End(*record, State::kAnswered);
  }
  ASSERT_EQ(table.NextDeadline(), kOpened + milliseconds(1));
  EXPECT_EQ(table.FindExpired(kOpened + seconds(59)), nullptr);
  EXPECT_EQ(record->state, State::kInFlight);
}

TEST(RequestTableTest, ForgetsTheDeadlinesOfRequestsThatHaveEnded) {
  // What is remembered shows by the next deadline: the oldest that is left.
  RequestTable table(100);
  RequestRecord* const slow =
      table.Begin(Request(0, seconds(3600)), 0, kOpened);
  for (int i = 0; i < 200'000; ++i) {
    const SteadyTime now = kOpened + microseconds(i);
    table.End(*table.Begin(Request(1, seconds(60)), 0, now), State::kAnswered);
    ASSERT_GT(*table.NextDeadline(), now + seconds(60) - microseconds(10'000));
  }
  EXPECT_EQ(table.FindExpired(kOpened + seconds(3600)), slow);
}

TEST(RequestTableTest, EndsEachThatIsInFlightOnceAndNoOther) {
  RequestTable table(100);
  std::vector<RequestRecord*> records;
  for (std::uint64_t i = 0; i < 100; ++i) {
    records.push_back(table.Begin(Request(i), 0, kOpened));
  }
  table.End(*records[50], State::kAnswered);
  std::multiset<std::uint64_t> tags;
  table.EndAll(State::kTimedOut, [&tags](const RequestRecord& record) {
    EXPECT_EQ(record.state, State::kTimedOut);
    tags.insert(record.tag);
  });
  EXPECT_EQ(tags.size(), 99U);
  EXPECT_EQ(std::set<std::uint64_t>(tags.begin(), tags.end()).size(), 99U);
  EXPECT_FALSE(tags.contains(50));
  EXPECT_EQ(records[50]->state, State::kAnswered);
  EXPECT_EQ(table.in_flight(), 0U);
  EXPECT_EQ(table.NextDeadline(), std::nullopt);
  EXPECT_EQ(table.FindExpired(kOpened + seconds(9)), nullptr);
}

// In one pass: one for each request would take hours.
TEST(RequestTableTest, EndsHalfAMillionInFlight) {
  constexpr std::size_t kMany = 500'000;
  RequestTable table(kMany);
  for (std::size_t i = 0; i < kMany; ++i) table.Begin(Request(i), 0, kOpened);
  ASSERT_EQ(table.in_flight(), kMany);
  std::size_t ended = 0;
  table.EndAll(State::kTimedOut, [&ended](const RequestRecord&) { ++ended; });
  EXPECT_EQ(ended, kMany);
  EXPECT_EQ(table.in_flight(), 0U);
}

TEST(RequestTableTest, BeginsAndRemembersAfterAllHaveEnded) {
  RequestTable table(2);
  const std::uint16_t sequence =
      table.Begin(Request(7), 99, kOpened)->sequence();
  table.Begin(Request(8), 0, kOpened);
  table.EndAll(State::kTimedOut, [](const RequestRecord&) {});
  ASSERT_NE(FindByCookie(table, sequence, 99), nullptr);
  EXPECT_EQ(FindByCookie(table, sequence, 99)->state, State::kTimedOut);
  EXPECT_NE(table.Begin(Request(9), 0, kOpened), nullptr);
  EXPECT_NE(table.Begin(Request(10), 0, kOpened), nullptr);
  EXPECT_EQ(table.Begin(Request(11), 0, kOpened), nullptr);
}

}  // namespace
}  // namespace echo_exporter
