#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/recorder/pair_stats.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

EchoOutcome OutcomeOf(char letter) {
  switch (letter) {
    case 'R':
      return EchoOutcome::kReply;
    case 'U':
      return EchoOutcome::kHostUnreachable;
    case 'S':
      return EchoOutcome::kSuspended;
    case 'N':
      return EchoOutcome::kNoResources;
    default:
      return EchoOutcome::kTimeout;
  }
}

class FailureRunsTest : public testing::Test {
 protected:
  /// Requests that are sent a second apart, by their letters.
  void Record(std::string_view letters) {
    for (const char letter : letters) {
      const auto length =
          runs_.Record({now_, outage_after_, OutcomeOf(letter)});
      if (length) lengths_.push_back(*length);
      now_ += seconds(1);
    }
  }

  std::uint16_t outage_after_ = 3;
  SteadyTime now_{hours(1)};
  FailureRuns runs_;
  std::vector<std::uint64_t> lengths_;  ///< of finished runs
};

TEST_F(FailureRunsTest, TellsTheLengthOfARunOnceItIsFinished) {
  Record("TRRTURTTT");
  EXPECT_THAT(lengths_, ElementsAre(1, 2));
  Record("R");
  EXPECT_THAT(lengths_, ElementsAre(1, 2, 3));
}

TEST_F(FailureRunsTest, ALengthBelongsToTheFirstBoundThatIsNotBelowIt) {
  const PairShapes shapes{HistogramOptions{}};
  PairStats stats(shapes);
  stats.RecordRequest();
  stats.Prepare(shapes);
  for (const int length :
       {1, 2, 3, 4, 5, 6, 10, 11, 20, 21, 50, 51, 100, 101, 500}) {
    for (int i = 0; i < length; ++i) {
      stats.RecordInSendOrder({now_, 3, EchoOutcome::kTimeout}, shapes,
                              Clock::System());
    }
    stats.RecordInSendOrder({now_, 3, EchoOutcome::kReply}, shapes,
                            Clock::System());
  }
  EXPECT_THAT(stats.run_lengths()->counts(),
              ElementsAre(1, 1, 1, 2, 2, 2, 2, 2, 2));
  // 50 and 51, and 100 and 101, are closer together than native buckets.
  EXPECT_EQ(stats.run_lengths()->native().size(), 13U);
}

TEST_F(FailureRunsTest, ARunIsOneOutageFromTheMomentItIsLongEnough) {
  Record("TT");
  EXPECT_EQ(runs_.outages(), 0U);
  Record("T");
  EXPECT_EQ(runs_.outages(), 1U);
  Record("TTTTT");
  EXPECT_EQ(runs_.outages(), 1U);
  Record("RTTRTTT");
  EXPECT_EQ(runs_.outages(), 2U);
}

TEST_F(FailureRunsTest, EachRunMayBeAnOutageAndOnlyAVeryLongOneMayBe) {
  outage_after_ = 1;
  Record("TRT");
  EXPECT_EQ(runs_.outages(), 2U);
  Record("R");
  outage_after_ = 1000;
  Record(std::string(999, 'T'));
  EXPECT_EQ(runs_.outages(), 2U);
  Record("T");
  EXPECT_EQ(runs_.outages(), 3U);
}

TEST_F(FailureRunsTest, AnOutageLastsFromItsFirstLossToTheReply) {
  Record("RTT");
  EXPECT_EQ(runs_.outage_time(), seconds(0));
  Record("T");  // the whole run so far
  EXPECT_EQ(runs_.outage_time(), seconds(2));
  Record("T");
  EXPECT_EQ(runs_.outage_time(), seconds(3));
  Record("R");
  EXPECT_EQ(runs_.outage_time(), seconds(4));
  Record("RRTTRRTTT");
  EXPECT_EQ(runs_.outage_time(), seconds(6));
}

TEST_F(FailureRunsTest, MissedTicksAreNoLossesAndTheirTimePasses) {
  Record("TT");
  now_ += hours(2);
  Record("T");
  now_ += hours(1);
  Record("R");
  EXPECT_THAT(lengths_, ElementsAre(3));
  EXPECT_EQ(runs_.outage_time(), hours(3) + seconds(3));
}

TEST_F(FailureRunsTest, OutcomesOfThisHostNeitherEndNorLengthenARun) {
  Record("SNTSTN");
  EXPECT_EQ(runs_.outages(), 0U);
  EXPECT_EQ(runs_.last_outcome(), EchoOutcome::kTimeout);
  Record("TSR");
  EXPECT_EQ(runs_.outages(), 1U);
  EXPECT_THAT(lengths_, ElementsAre(3));
  EXPECT_EQ(runs_.outage_time(), seconds(6));
  Record("SSSNNN");
  EXPECT_EQ(runs_.last_outcome(), EchoOutcome::kReply);
  EXPECT_EQ(runs_.outages(), 1U);
  EXPECT_EQ(runs_.outage_time(), seconds(6));
}

TEST_F(FailureRunsTest, AnotherLengthOfOutagesHoldsFromTheNextLossOn) {
  Record("TT");
  outage_after_ = 2;
  EXPECT_EQ(runs_.outages(), 0U);
  Record("T");
  EXPECT_EQ(runs_.outages(), 1U);
  EXPECT_EQ(runs_.outage_time(), seconds(2));
  // What is an outage remains one.
  outage_after_ = 1000;
  Record("TR");
  EXPECT_EQ(runs_.outage_time(), seconds(4));
  Record("TTTR");
  EXPECT_EQ(runs_.outages(), 1U);
  EXPECT_EQ(runs_.outage_time(), seconds(4));
}

// All requests of a pair, judged anew from all that is known.
class NaiveModel {
 public:
  struct Sums {
    std::vector<std::size_t> lengths;  // of finished runs
    std::uint64_t outages = 0;
    Nanoseconds outage_time{};
    std::uint64_t losses = 0;  // of all requests that have ended
  };

  std::size_t Send(SteadyTime sent, std::uint16_t outage_after) {
    requests_.push_back({sent, outage_after, {}});
    return requests_.size() - 1;
  }
  void End(std::size_t index, EchoOutcome outcome) {
    requests_[index].outcome = outcome;
  }

  Sums Judge() const {
    Sums sums;
    for (const SentRequest& request : requests_) {
      if (request.outcome && IsLoss(*request.outcome)) ++sums.losses;
    }
    std::vector<SentRequest> run;
    for (const SentRequest& request : requests_) {
      if (!request.outcome) break;
      if (IsLoss(*request.outcome)) run.push_back(request);
      if (*request.outcome != EchoOutcome::kReply) continue;
      if (!run.empty()) sums.lengths.push_back(run.size());
      AddOutage(run, request.sent, sums);
      run.clear();
    }
    if (!run.empty()) AddOutage(run, run.back().sent, sums);
    return sums;
  }

 private:
  static void AddOutage(const std::vector<SentRequest>& run, SteadyTime end,
                        Sums& sums) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      if (i + 1 < run[i].outage_after) continue;
      ++sums.outages;
      sums.outage_time += end - run.front().sent;
      return;
    }
  }

  std::vector<SentRequest> requests_;
};

// A pair whose requests are sent and end in a random order, some very late.
class RandomPair {
 public:
  explicit RandomPair(std::uint32_t seed) : random_(seed) {
    // Some networks lose nearly nothing, some nearly all.
    loss_ = Below(100);
    most_in_flight_ = 1 + Below(12);
  }

  void Step() {
    now_ += milliseconds(1 + Below(5000));
    if (Below(20) == 0) {
      outage_after_ = static_cast<std::uint16_t>(1 + Below(6));
    }
    if (in_flight_.empty() ||
        (in_flight_.size() < most_in_flight_ && Below(2) == 0)) {
      stats_.Prepare(shapes_);
      in_flight_.emplace_back(order_.Begin(now_, outage_after_),
                              model_.Send(now_, outage_after_));
      stats_.RecordRequest();
      return;
    }
    // Mostly one of the oldest.
    const std::size_t at = Below(1 + Below(in_flight_.size()));
    const auto [number, index] = in_flight_[at];
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(at));
    EchoResult result;
    result.outcome = RandomOutcome();
    model_.End(index, result.outcome);
    stats_.RecordResult(result, shapes_, Clock::System());
    order_.End(number, result.outcome, [this](const SentRequest& request) {
      stats_.RecordInSendOrder(request, shapes_, Clock::System());
    });
  }

  void ExpectTheSameAsTheModel() const {
    const NaiveModel::Sums expected = model_.Judge();
    const std::vector<double>& bounds = shapes_.run_lengths.bounds();
    std::vector<std::uint64_t> lengths(bounds.size() + 1);
    std::uint64_t finished = 0;
    for (const std::size_t length : expected.lengths) {
      std::size_t bucket = 0;
      while (bucket < bounds.size() &&
             static_cast<double>(length) > bounds[bucket]) {
        ++bucket;
      }
      ++lengths.at(bucket);
      finished += length;
    }
    const Histogram* const seen = stats_.run_lengths();
    EXPECT_EQ((seen != nullptr ? *seen : shapes_.no_runs).counts(), lengths);
    EXPECT_EQ(seen != nullptr ? seen->sum() : 0, finished);
    EXPECT_EQ(stats_.runs().outages(), expected.outages);
    EXPECT_EQ(stats_.runs().outage_time(), expected.outage_time);
    EXPECT_EQ(finished + stats_.consecutive_failures(), expected.losses);
  }

  std::uint64_t outages() const { return stats_.runs().outages(); }

 private:
  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  EchoOutcome RandomOutcome() {
    if (Below(100) >= loss_) return EchoOutcome::kReply;
    return OutcomeOf("TTTTUUSN"[Below(8)]);
  }

  std::mt19937 random_;
  std::size_t loss_ = 0;  // percent
  std::size_t most_in_flight_ = 1;
  std::uint16_t outage_after_ = 3;
  SteadyTime now_{};
  std::vector<std::pair<std::uint32_t, std::size_t>> in_flight_;
  const PairShapes shapes_{HistogramOptions{}};
  PairStats stats_{shapes_};
  SendOrder order_;
  NaiveModel model_;
};

TEST(FailureRunsModelTest, JudgesAsOneWouldWhoSeesAllAtEveryStep) {
  std::uint64_t outages = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomPair pair(seed);
    for (int step = 0; step < 150; ++step) {
      pair.Step();
      pair.ExpectTheSameAsTheModel();
      if (testing::Test::HasFailure()) return;
    }
    outages += pair.outages();
  }
  EXPECT_GT(outages, 1000U);
}

}  // namespace
}  // namespace echo_exporter
