#include "src/recorder/send_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class SendOrderTest : public testing::Test {
 protected:
  /// The n-th is sent at n seconds, with n as its `outage_after`.
  std::uint32_t Send() {
    ++sent_;
    return order_.Begin(SteadyTime(seconds(sent_)),
                        static_cast<std::uint16_t>(sent_));
  }

  void End(std::uint32_t number, EchoOutcome outcome = EchoOutcome::kReply) {
    order_.End(number, outcome, [this](const SentRequest& request) {
      EXPECT_EQ(request.sent, SteadyTime(seconds(request.outage_after)));
      judged_.push_back(std::to_string(request.outage_after) + " " +
                        std::string(EchoOutcomeName(*request.outcome)));
    });
  }

  /// "number outcome" of what has been passed on since the last call.
  std::vector<std::string> TakeJudged() { return std::exchange(judged_, {}); }

  int sent_ = 0;
  SendOrder order_;
  std::vector<std::string> judged_;
};

TEST_F(SendOrderTest, PassesOnAtOnceWhatComesInOrder) {
  End(Send());
  EXPECT_THAT(TakeJudged(), ElementsAre("1 reply"));
  const std::uint32_t second = Send();
  const std::uint32_t third = Send();
  End(second, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeJudged(), ElementsAre("2 timeout"));
  End(third);
  EXPECT_THAT(TakeJudged(), ElementsAre("3 reply"));
}

TEST_F(SendOrderTest, HoldsBackWhatOvertakesARequestInFlight) {
  std::vector<std::uint32_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(Send());
  End(numbers[1]);
  End(numbers[4], EchoOutcome::kProhibited);
  End(numbers[2]);
  EXPECT_THAT(TakeJudged(), IsEmpty());
  End(numbers[0], EchoOutcome::kTimeout);
  EXPECT_THAT(TakeJudged(), ElementsAre("1 timeout", "2 reply", "3 reply"));
  numbers.push_back(Send());
  End(numbers[3]);
  EXPECT_THAT(TakeJudged(), ElementsAre("4 reply", "5 prohibited"));
  End(numbers[5]);
  EXPECT_THAT(TakeJudged(), ElementsAre("6 reply"));
}

TEST_F(SendOrderTest, PassesOnEachOfThousandsOnce) {
  constexpr std::size_t kRequests = 6000;
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < kRequests; ++i) numbers.push_back(Send());
  for (std::size_t i = kRequests - 1; i > 0; --i) End(numbers[i]);
  EXPECT_THAT(TakeJudged(), IsEmpty());
  End(numbers[0]);
  const std::vector<std::string> judged = TakeJudged();
  ASSERT_EQ(judged.size(), kRequests);
  EXPECT_EQ(judged[0], "1 reply");
  EXPECT_EQ(judged[kRequests - 1], "6000 reply");
}

TEST_F(SendOrderTest, GoesOnWhenNumbersBeginAgain) {
  order_ = SendOrder(kRequestNumbers - 2);
  std::vector<std::uint32_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(Send());
  EXPECT_THAT(numbers, ElementsAre(kRequestNumbers - 2, kRequestNumbers - 1, 0U,
                                   1U, 2U));
  End(numbers[3]);
  End(numbers[0]);
  EXPECT_THAT(TakeJudged(), ElementsAre("1 reply"));
  End(numbers[2]);
  End(numbers[1]);
  EXPECT_THAT(TakeJudged(), ElementsAre("2 reply", "3 reply", "4 reply"));
  End(numbers[4]);
  EXPECT_THAT(TakeJudged(), ElementsAre("5 reply"));
}

}  // namespace
}  // namespace echo_exporter
