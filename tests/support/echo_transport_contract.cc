#include "tests/support/echo_transport_contract.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace echo_exporter {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

// Never reached: what it waits for comes at once.
constexpr Nanoseconds kPatience = seconds(300);

void EchoTransportContractTest::SetUp() {
  rig_ = GetParam().create();
  if (const std::string reason = rig_->WhyNot(); !reason.empty()) {
    GTEST_SKIP() << "cannot be tried here: " << reason;
  }
  EchoTransportOptions options;
  options.max_in_flight = kMaxInFlight;
  auto transport = rig_->Create(
      options, [this](const EchoResult& result) { results_.Add(result); });
  ASSERT_TRUE(transport.ok()) << transport.error().message;
  transport_ = std::move(transport).value();
}

void EchoTransportContractTest::SendAnswered(std::uint64_t tag) {
  EchoRequest request = rig_->Answered();
  request.tag = tag;
  transport_->Send(request);
}

void EchoTransportContractTest::SendUnanswered(std::uint64_t tag) {
  EchoRequest request = rig_->Unanswered();
  request.tag = tag;
  transport_->Send(request);
}

std::string NameOfRig(
    const testing::TestParamInfo<EchoTransportRigParam>& info) {
  return info.param.name;
}

TEST_P(EchoTransportContractTest, SaysWhatItIs) {
  EXPECT_NE(transport_->Describe(), "");
  EXPECT_TRUE(transport_->Supports(rig_->Answered().destination.version()));
}

TEST_P(EchoTransportContractTest, ServesNoMoreAtOnceThanAskedFor) {
  EXPECT_GE(transport_->max_in_flight(), 1U);
  EXPECT_LE(transport_->max_in_flight(), kMaxInFlight);
}

TEST_P(EchoTransportContractTest, HasNothingInFlightAtFirst) {
  EXPECT_EQ(transport_->in_flight(), 0U);
  EXPECT_TRUE(transport_->Drain(Nanoseconds(0)));
  EXPECT_EQ(results_.size(), 0U);
}

TEST_P(EchoTransportContractTest, HandsBackTheTagWithTheReply) {
  constexpr std::uint64_t kTag = 0xfedc'ba98'7654'3210;
  SendAnswered(kTag);
  results_.WaitForSize(1);
  EXPECT_EQ(results_.results().front().tag, kTag);
  EXPECT_EQ(results_.results().front().outcome, EchoOutcome::kReply);
  EXPECT_GE(results_.results().front().rtt, Nanoseconds(0));
  EXPECT_GE(results_.results().front().completion_delay, Nanoseconds(0));
}

TEST_P(EchoTransportContractTest, EndsEveryRequestExactlyOnce) {
  constexpr std::uint64_t kRequests = 50;
  for (std::uint64_t tag = 0; tag < kRequests; ++tag) {
    if (transport_->in_flight() == transport_->max_in_flight()) {
      ASSERT_TRUE(transport_->Drain(kPatience));
    }
    SendAnswered(tag);
  }
  ASSERT_TRUE(transport_->Drain(kPatience));
  transport_.reset();
  EXPECT_EQ(results_.size(), kRequests);
  for (std::uint64_t tag = 0; tag < kRequests; ++tag) {
    EXPECT_THAT(results_.Outcomes(tag), ElementsAre(EchoOutcome::kReply));
  }
}

TEST_P(EchoTransportContractTest, HasGivenEveryResultOnceDrained) {
  for (std::uint64_t round = 1; round <= 20; ++round) {
    SendAnswered(round);
    ASSERT_TRUE(transport_->Drain(kPatience));
    EXPECT_EQ(transport_->in_flight(), 0U);
    EXPECT_EQ(results_.size(), round);
  }
}

TEST_P(EchoTransportContractTest, CountsWhatIsInFlight) {
  SendUnanswered(1);
  EXPECT_EQ(transport_->in_flight(), 1U);
  SendUnanswered(2);
  EXPECT_EQ(transport_->in_flight(), 2U);
  SendAnswered(3);
  results_.WaitForSize(1);
  EXPECT_FALSE(transport_->Drain(milliseconds(1)));
  EXPECT_LE(transport_->in_flight(), 3U);
  EXPECT_GE(transport_->in_flight(), 2U);
}

TEST_P(EchoTransportContractTest, DoesNotDrainWhileARequestHasNoResult) {
  SendUnanswered(1);
  EXPECT_FALSE(transport_->Drain(milliseconds(1)));
  EXPECT_FALSE(transport_->Drain(Nanoseconds(0)));
  EXPECT_EQ(results_.size(), 0U);
}

TEST_P(EchoTransportContractTest, EndsWhatIsTooMuchAtOnceAsNoResources) {
  const std::uint64_t limit = transport_->max_in_flight();
  for (std::uint64_t tag = 0; tag < limit; ++tag) SendUnanswered(tag);
  EXPECT_EQ(transport_->in_flight(), limit);
  SendAnswered(limit);
  EXPECT_THAT(results_.Outcomes(limit), ElementsAre(EchoOutcome::kNoResources));
  EXPECT_EQ(transport_->in_flight(), limit);
  EXPECT_EQ(results_.size(), 1U);
}

TEST_P(EchoTransportContractTest, DestroysCleanlyWithRequestsInFlight) {
  const std::uint64_t limit = transport_->max_in_flight();
  for (std::uint64_t tag = 0; tag < limit; ++tag) SendUnanswered(tag);
  transport_.reset();
  EXPECT_EQ(results_.size(), limit);
  for (std::uint64_t tag = 0; tag < limit; ++tag) {
    EXPECT_THAT(results_.Outcomes(tag), ElementsAre(EchoOutcome::kTimeout));
  }
}

// Which of them are answered in time is open; that none is lost is not.
TEST_P(EchoTransportContractTest, DestroysCleanlyWhileRepliesComeIn) {
  const std::uint64_t limit = transport_->max_in_flight();
  for (std::uint64_t tag = 0; tag < limit; ++tag) SendAnswered(tag);
  transport_.reset();
  EXPECT_EQ(results_.size(), limit);
}

}  // namespace echo_exporter
