#include "echo_exporter/pair_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::DoubleNear;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

/// Both of its times go on together; the wall clock can be set, too.
class TestClock final : public Clock {
 public:
  SteadyTime Now() const override { return SteadyTime(passed_.load()); }
  WallTime WallNow() const override {
    return WallTime(std::chrono::duration_cast<WallTime::duration>(
        hours(500'000) + passed_.load() + set_by_.load()));
  }
  void Advance(Nanoseconds time) { passed_ = passed_.load() + time; }
  void SetBy(Nanoseconds time) { set_by_ = set_by_.load() + time; }

 private:
  std::atomic<Nanoseconds> passed_{hours(1)};
  std::atomic<Nanoseconds> set_by_{Nanoseconds()};
};

class PairHistoryTest : public testing::Test {
 protected:
  PairId Add(const std::string& destination) {
    const PairId id = recorder_->AddPair({"g", "s", destination, {}});
    recorder_->SetRoute(id, Route{{}, *IpAddress::Parse("192.0.2.1"), 0}, true);
    return id;
  }

  void Send(PairId pair, EchoOutcome outcome,
            Nanoseconds rtt = milliseconds(10)) {
    EchoResult result;
    result.outcome = outcome;
    result.rtt = rtt;
    if (outcome == EchoOutcome::kHostUnreachable) {
      result.responder = IpAddress::Parse("192.0.2.254");
    }
    recorder_->RecordResult(
        recorder_->RecordRequest(pair, clock_.Now() - rtt, 3).id, result);
    history_->OnResult(pair, result);
  }
  void Reply(PairId pair, Nanoseconds rtt = milliseconds(10)) {
    Send(pair, EchoOutcome::kReply, rtt);
  }
  void Lose(PairId pair) { Send(pair, EchoOutcome::kTimeout, seconds(1)); }

  PairView ViewOf(PairId pair) {
    for (PairView& view : history_->Look()) {
      if (view.status.id == pair) return view;
    }
    ADD_FAILURE() << "no pair " << pair;
    return {};
  }

  static std::pair<std::uint64_t, std::uint64_t> SumOf(
      const HistorySeries& series) {
    std::pair<std::uint64_t, std::uint64_t> sum;
    for (const HistoryCell& cell : series.cells) {
      sum.first += cell.sent;
      sum.second += cell.lost;
    }
    return sum;
  }

  TestClock clock_;
  const std::unique_ptr<PairHistory> history_ = PairHistory::Create(
      clock_,
      {.snapshot = [this] { return recorder_->Snapshot(); },
       .conditions = [this] { return recorder_->Conditions(); }},
      {.memory = 64 << 20, .lossy = 0.01});
  const std::unique_ptr<ProbeRecorder> recorder_ =
      std::make_unique<ProbeRecorder>(
          HistogramOptions{.rtt_buckets = {0.1}}, clock_, false, false,
          std::vector<PairObserver*>{history_.get()});
};

TEST_F(PairHistoryTest, TheSumsOfAllCellsAreTheCounters) {
  const PairId pair = Add("a");
  std::uint64_t sent = 0;
  for (int step = 0; step < 3000; ++step) {
    for (int i = 0; i <= step % 3; ++i, ++sent) {
      sent % 7 == 0 ? Lose(pair) : Reply(pair);
    }
    // Neither sent nor lost, as far as the network goes.
    Send(pair, EchoOutcome::kSuspended);
    if (step % 5 == 0) history_->Look();
    clock_.Advance(seconds(1));
  }
  const auto record = history_->RecordOf(pair);
  ASSERT_TRUE(record);
  const std::pair<std::uint64_t, std::uint64_t> all{sent, (sent + 6) / 7};
  EXPECT_EQ(SumOf(record->fine), all);
  EXPECT_EQ(SumOf(record->coarse), all);
}

TEST_F(PairHistoryTest, ShowsTheRttsOfEachStep) {
  const PairId pair = Add("a");
  for (const int base : {20, 200}) {
    for (int i = 0; i < 10; ++i) {
      Reply(pair, milliseconds(base + i));
      history_->Look();
      clock_.Advance(seconds(1));
    }
  }
  const HistorySeries fine = history_->RecordOf(pair)->fine;
  ASSERT_THAT(fine.cells, SizeIs(3));
  EXPECT_EQ(fine.step, seconds(10));
  EXPECT_THAT(fine.cells[0].min, Optional(DoubleNear(0.020, 0.0002)));
  EXPECT_THAT(fine.cells[0].median, Optional(DoubleNear(0.024, 0.0003)));
  EXPECT_THAT(fine.cells[0].p99, Optional(DoubleNear(0.029, 0.0003)));
  EXPECT_THAT(fine.cells[1].median, Optional(DoubleNear(0.204, 0.002)));
  EXPECT_EQ(fine.cells[2].median, std::nullopt);
  EXPECT_EQ(fine.cells[2].sent, 0U);
  EXPECT_EQ(fine.begin + seconds(20), clock_.WallNow());

  const PairHour hour = history_->LastHours({{pair}})[0];
  EXPECT_EQ(hour.back().sent, 20U);
  EXPECT_EQ(hour[58].sent, 0U);
  const PairView view = ViewOf(pair);
  EXPECT_THAT(view.rtt_median, Optional(DoubleNear(0.029, 0.0003)));
  EXPECT_THAT(view.rtt_p99, Optional(DoubleNear(0.209, 0.002)));
}

TEST_F(PairHistoryTest, TellsTheLossOfAMinuteTenMinutesAndAnHour) {
  const PairId pair = Add("a");
  EXPECT_EQ(ViewOf(pair).loss_1m, std::nullopt);
  for (int second = 0; second < 3600; ++second) {
    // One in a hundred for 50 minutes, then none; one in 2 in the last one.
    const bool lost =
        second < 3000 ? second % 100 == 0 : second >= 3540 && second % 2 == 0;
    lost ? Lose(pair) : Reply(pair);
    history_->Look();
    clock_.Advance(seconds(1));
  }
  const PairView view = ViewOf(pair);
  // The first cell has just begun.
  EXPECT_THAT(view.loss_1m, Optional(DoubleNear(0.5, 0.02)));
  EXPECT_THAT(view.loss_10m, Optional(DoubleNear(30 / 600.0, 0.002)));
  EXPECT_THAT(view.loss_1h, Optional(DoubleNear(60 / 3600.0, 0.001)));
  EXPECT_EQ(view.state, PairState::kLossy);
}

TEST_F(PairHistoryTest, TellsStatesAndSinceWhen) {
  const PairId pair = Add("a");
  Reply(pair);
  const WallTime begin = clock_.WallNow();
  EXPECT_EQ(ViewOf(pair).state, PairState::kUp);
  EXPECT_EQ(ViewOf(pair).since, begin);

  clock_.Advance(seconds(100));
  const WallTime down = clock_.WallNow() - seconds(1);  // the first was sent
  for (int i = 0; i < 5; ++i, clock_.Advance(seconds(1))) Lose(pair);
  EXPECT_EQ(ViewOf(pair).state, PairState::kDown);
  EXPECT_EQ(ViewOf(pair).since, down);
  auto outages = history_->RecordOf(pair)->outages;
  ASSERT_THAT(outages, SizeIs(1));
  EXPECT_EQ(outages[0].begin, down);
  EXPECT_EQ(outages[0].length, std::nullopt);
  EXPECT_EQ(outages[0].outcome, EchoOutcome::kTimeout);

  Reply(pair, seconds(0));
  const WallTime end = clock_.WallNow();
  clock_.Advance(seconds(7));
  EXPECT_EQ(ViewOf(pair).state, PairState::kLossy);
  EXPECT_EQ(ViewOf(pair).since, end);
  outages = history_->RecordOf(pair)->outages;
  ASSERT_THAT(outages, SizeIs(1));
  EXPECT_EQ(outages[0].length, seconds(6));
  EXPECT_EQ(outages[0].losses, 5U);

  clock_.Advance(minutes(11));
  EXPECT_EQ(ViewOf(pair).state, PairState::kUp);
  EXPECT_EQ(ViewOf(pair).since, clock_.WallNow());

  recorder_->SetRoute(pair, std::nullopt, false);
  EXPECT_EQ(ViewOf(pair).state, PairState::kUnresolved);
}

TEST_F(PairHistoryTest, AnOutageBetweenTwoLooksIsNotMissed) {
  const PairId pair = Add("a");
  for (int i = 0; i < 1000; ++i) Reply(pair);
  history_->Look();
  clock_.Advance(seconds(2));
  for (int i = 0; i < 3; ++i) Lose(pair);
  Reply(pair, seconds(0));
  const WallTime end = clock_.WallNow();
  clock_.Advance(seconds(2));
  EXPECT_EQ(ViewOf(pair).state, PairState::kUp);
  EXPECT_EQ(ViewOf(pair).since, end);
}

TEST_F(PairHistoryTest, KeepsTheLastFailures) {
  const PairId pair = Add("a");
  for (int i = 0; i < 60; ++i) Lose(pair);
  Send(pair, EchoOutcome::kHostUnreachable, milliseconds(3));
  const WallTime sent = clock_.WallNow() - milliseconds(3);
  const auto failures = history_->RecordOf(pair)->failures;
  ASSERT_THAT(failures, SizeIs(PairHistory::kMostFailures));
  EXPECT_EQ(failures[0].outcome, EchoOutcome::kHostUnreachable);
  EXPECT_EQ(failures[0].responder, IpAddress::Parse("192.0.2.254"));
  EXPECT_EQ(failures[0].sent, sent);
  EXPECT_EQ(failures[1].outcome, EchoOutcome::kTimeout);
}

TEST_F(PairHistoryTest, EndsWithThePairAndNotBefore) {
  const PairId first = Add("a");
  Lose(first);
  recorder_->RecordRequest(first, {}, 3);
  recorder_->RemovePair(first);  // its last request is in flight
  history_->Look();
  EXPECT_EQ(Add("a"), first);
  history_->Look();
  EXPECT_THAT(history_->RecordOf(first)->failures, SizeIs(1));
  const PairId second = Add("b");
  Reply(second);
  history_->Look();
  clock_.Advance(minutes(5));
  Reply(second);
  history_->Look();
  recorder_->RemovePair(second);
  EXPECT_THAT(history_->Look(), SizeIs(1));
  EXPECT_FALSE(history_->RecordOf(second));
  // Another one, in the place of that, has none of its cells.
  const PairId third = Add("c");
  history_->Look();
  clock_.Advance(seconds(10));
  EXPECT_EQ(SumOf(history_->RecordOf(third)->fine).first, 0U);
  EXPECT_EQ(SumOf(history_->RecordOf(third)->coarse).first, 0U);
}

TEST_F(PairHistoryTest, RttsAreOfTheLastFiveToTenMinutes) {
  const PairId pair = Add("a");
  Reply(pair, milliseconds(40));
  history_->Look();
  EXPECT_EQ(ViewOf(pair).rtt_usual, std::nullopt);
  clock_.Advance(minutes(5));
  Reply(pair, milliseconds(80));
  PairView view = ViewOf(pair);
  EXPECT_THAT(view.rtt_median, Optional(DoubleNear(0.04, 0.0005)));
  EXPECT_THAT(view.rtt_p99, Optional(DoubleNear(0.08, 0.001)));
  EXPECT_THAT(view.rtt_usual, Optional(DoubleNear(0.04, 0.0005)));
  clock_.Advance(minutes(5));
  EXPECT_THAT(ViewOf(pair).rtt_median, Optional(DoubleNear(0.08, 0.001)));
  clock_.Advance(minutes(5));
  view = ViewOf(pair);
  EXPECT_EQ(view.rtt_median, std::nullopt);
  EXPECT_EQ(view.rtt_p99, std::nullopt);
  EXPECT_TRUE(view.rtt_usual);
}

TEST_F(PairHistoryTest, APauseLeavesEmptyCells) {
  const PairId pair = Add("a");
  Reply(pair);
  history_->Look();
  clock_.Advance(minutes(30));
  Reply(pair);
  auto record = history_->RecordOf(pair);
  EXPECT_THAT(record->fine.cells, SizeIs(181));
  EXPECT_THAT(record->coarse.cells, SizeIs(7));
  EXPECT_EQ(record->fine.cells.front().sent, 1U);
  EXPECT_EQ(record->fine.cells.back().sent, 1U);
  // Longer than all of the history: nothing is left, and it takes no time.
  clock_.Advance(hours(24 * 365));
  record = history_->RecordOf(pair);
  EXPECT_EQ(SumOf(record->fine).first, 0U);
  EXPECT_EQ(SumOf(record->coarse).first, 0U);
}

TEST_F(PairHistoryTest, AClockThatIsSetBackLosesNothing) {
  const PairId pair = Add("a");
  for (int i = 0; i < 3; ++i) {
    Reply(pair);
    history_->Look();
    clock_.Advance(seconds(10));
  }
  clock_.SetBy(-hours(2));
  Reply(pair);
  const auto record = history_->RecordOf(pair);
  EXPECT_EQ(SumOf(record->fine).first, 4U);
  EXPECT_LE(record->fine.begin, clock_.WallNow());
}

TEST_F(PairHistoryTest, WithoutMemoryThereAreStatesAndOutagesOnly) {
  history_->SetSettings({.memory = 0, .lossy = 0.01});
  const PairId pair = Add("a");
  for (int i = 0; i < 5; ++i) Lose(pair);
  history_->Look();
  clock_.Advance(seconds(10));
  const PairView view = ViewOf(pair);
  EXPECT_EQ(view.state, PairState::kDown);
  EXPECT_EQ(view.loss_10m, std::nullopt);
  EXPECT_EQ(history_->Extent().fine, seconds(0));
  Lose(pair);
  const auto record = history_->RecordOf(pair);
  EXPECT_THAT(record->failures, IsEmpty());
  EXPECT_THAT(record->outages, SizeIs(1));
  EXPECT_THAT(record->fine.cells, IsEmpty());
  EXPECT_THAT(record->coarse.cells, IsEmpty());
  EXPECT_EQ(history_->LastHours(std::array{pair})[0].back().sent, 0U);
}

// A fiftieth of what the default is for: 10,000 pairs, each with much to
// remember.
TEST_F(PairHistoryTest, StaysWithinItsMemory) {
  constexpr std::uint64_t kMemory = (64 << 20) / 50;
  constexpr int kPairs = 200;
  history_->SetSettings({.memory = kMemory, .lossy = 0.01});
  std::vector<PairId> pairs;
  const auto add_up_to = [&](int most) {
    while (std::ssize(pairs) < most) {
      pairs.push_back(Add(std::to_string(pairs.size())));
    }
  };
  EchoResult reply;
  reply.outcome = EchoOutcome::kReply;
  EchoResult loss;
  loss.outcome = EchoOutcome::kTimeout;
  int number = 0;
  const auto step = [&](Nanoseconds length) {
    for (const PairId pair : pairs) {
      reply.rtt = milliseconds(1 + ++number * 31 % 1000);
      history_->OnResult(pair, number % 10 == 0 ? loss : reply);
    }
    clock_.Advance(length);
    history_->Look();
  };
  add_up_to(kPairs);
  for (int i = 0; i < 290; ++i) step(minutes(5));
  for (int i = 0; i < 362; ++i) step(seconds(10));
  EXPECT_EQ(history_->Extent().fine, hours(1));
  EXPECT_EQ(history_->Extent().coarse, hours(24));
  EXPECT_LT(history_->MemoryInUse(), kMemory);
  EXPECT_GT(history_->MemoryInUse(), kMemory / 2);

  // Too many: both are shortened, but loss is still known.
  add_up_to(5 * kPairs);
  for (int i = 0; i < 3; ++i) step(seconds(10));
  EXPECT_LT(history_->Extent().fine, minutes(20));
  EXPECT_GE(history_->Extent().coarse, minutes(65));
  EXPECT_LT(history_->MemoryInUse(), kMemory);
  EXPECT_TRUE(history_->Look().front().loss_10m);
  EXPECT_TRUE(history_->Look().front().loss_1h);
  // Far too many.
  add_up_to(20 * kPairs);
  for (int i = 0; i < 3; ++i) step(seconds(10));
  EXPECT_LT(history_->Extent().coarse, minutes(65));
  EXPECT_LT(history_->MemoryInUse(), kMemory);
  EXPECT_EQ(history_->Look().front().loss_1h, std::nullopt);
}

TEST_F(PairHistoryTest, LooksByItself) {
  const PairId pair = Add("a");
  Reply(pair);
  history_->Start();
  while (!history_->RecordOf(pair)) {
  }
  history_->Stop();
  history_->Stop();
  EXPECT_EQ(SumOf(history_->RecordOf(pair)->fine).first, 1U);
}

}  // namespace
}  // namespace echo_exporter
