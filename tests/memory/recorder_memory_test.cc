#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "tests/recorder/samples.h"
#include "tests/support/failing_memory.h"

namespace echo_exporter {
namespace {

const FailingMemory::Threads kThis = FailingMemory::Threads::kThis;

class RecorderMemoryTest : public testing::Test {
 protected:
  double Sample(const std::string& name) const {
    return ParseSamples(RenderText(recorder_))
        .at("icmp_echo_" + name +
            "{group=\"g\",source=\"s\",destination=\"d\"}");
  }

  ProbeRecorder recorder_{{.rtt_buckets = {0.1}}, Clock::System()};
  const PairId pair_ = recorder_.AddPair({"g", "s", "d", {}});
};

TEST_F(RecorderMemoryTest, ASingleRequestNeedsNone) {
  EchoResult result;
  result.outcome = EchoOutcome::kReply;
  const auto finish = [&] {
    recorder_.RecordResult(recorder_.RecordRequest(pair_, {}, 3).id, result);
  };
  {
    const FailingMemory memory(kThis, 0, FailingMemory::kAllOfThem);
    for (int i = 0; i < 10; ++i) finish();
    result.outcome = EchoOutcome::kTimeout;
    finish();
    EXPECT_EQ(memory.failures(), 0U);
  }
  finish();  // after the first loss of a pair, once
  {
    const FailingMemory memory(kThis, 0, FailingMemory::kAllOfThem);
    for (int i = 0; i < 10; ++i) finish();
    EXPECT_EQ(memory.failures(), 0U);
  }
  EXPECT_EQ(Sample("consecutive_failures"), 12);
}

TEST_F(RecorderMemoryTest, ARequestIsCountedWhollyOrNotAtAll) {
  constexpr int kRequests = 20;
  std::vector<RequestId> requests;
  requests.reserve(kRequests);
  int failed = 0;
  while (requests.size() < kRequests) {
    try {
      const FailingMemory memory(kThis, 0, 1);
      requests.push_back(recorder_.RecordRequest(pair_, {}, 3).id);
    } catch (const std::bad_alloc&) {
      ++failed;
      requests.push_back(recorder_.RecordRequest(pair_, {}, 3).id);
    }
  }
  EXPECT_GT(failed, 3);
  EXPECT_EQ(Sample("requests_total"), kRequests);
  EXPECT_EQ(Sample("in_flight"), kRequests);
  for (const RequestId& request : requests) {
    EchoResult result;
    result.outcome = EchoOutcome::kTimeout;
    recorder_.RecordResult(request, result);
  }
  EXPECT_EQ(Sample("in_flight"), 0);
  EXPECT_EQ(Sample("consecutive_failures"), kRequests);
}

}  // namespace
}  // namespace echo_exporter
