#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "src/transport/echo_engine_windows.h"
#include "tests/support/echo_transport_contract.h"
#include "tests/support/result_log.h"
#include "tests/support/scripted_icmp_windows.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const IpAddress kAnswering = *IpAddress::Parse("192.0.2.1");
const IpAddress kSilent = *IpAddress::Parse("192.0.2.2");

EchoRequest RequestTo(const IpAddress& destination, Nanoseconds timeout) {
  EchoRequest request;
  request.destination = destination;
  request.timeout = timeout;
  request.payload_size = 32;
  return request;
}

// The Windows transport on a system that answers for one address only.
class ScriptedRig final : public EchoTransportRig {
 public:
  ScriptedRig() {
    system_.OnSend([](IcmpCall& call) {
      if (call.destination == kAnswering) {
        WriteReplyV4(call, call.destination, 0, 0, 64, call.payload);
        SetEvent(call.event);
      }
      return IcmpReturn{};
    });
  }
  Result<std::unique_ptr<EchoTransport>> Create(
      const EchoTransportOptions& options,
      EchoTransport::Callback callback) override {
    return CreateWindowsEchoTransport(system_.Api(), options,
                                      std::move(callback));
  }
  EchoRequest Answered() override {
    return RequestTo(kAnswering, seconds(300));
  }
  EchoRequest Unanswered() override { return RequestTo(kSilent, hours(1)); }

 private:
  ScriptedIcmp system_;
};

INSTANTIATE_TEST_SUITE_P(WindowsTransport, EchoTransportContractTest,
                         testing::Values(EchoTransportRigParam{
                             "OnAScriptedSystem",
                             [] { return std::make_unique<ScriptedRig>(); }}),
                         NameOfRig);

TEST(EchoTransportLoopbackTest, MeasuresRealEchoesOfEverySize) {
  ResultLog results;
  auto transport = CreateEchoTransport(
      EchoTransportOptions(),
      [&](const EchoResult& result) { results.Add(result); });
  ASSERT_TRUE(transport.ok()) << transport.error().message;
  std::size_t sent = 0;
  for (const int size : {0, 1, 8, 32, 56, 1472, 65500}) {
    EchoRequest request =
        RequestTo(*IpAddress::Parse("127.0.0.1"), seconds(300));
    request.payload_size = static_cast<std::uint16_t>(size);
    request.tag = ++sent;
    transport.value()->Send(request);
  }
  ASSERT_TRUE(transport.value()->Drain(seconds(300)));
  ASSERT_EQ(results.size(), sent);
  for (const EchoResult& result : results.results()) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply) << result.tag;
    EXPECT_GT(result.rtt, Nanoseconds(0));
    EXPECT_GT(result.reply_ttl, 0);
    EXPECT_EQ(result.responder, IpAddress::Parse("127.0.0.1"));
  }
}

// Wine refuses the limited broadcast address; what others do is open. Whatever
// it is, it leaves no signal behind for the request after it.
TEST(EchoTransportLoopbackTest, MeasuresRightAfterARequestThatIsRefused) {
  ResultLog results;
  auto transport = CreateEchoTransport(
      EchoTransportOptions{.max_in_flight = 1},
      [&](const EchoResult& result) { results.Add(result); });
  ASSERT_TRUE(transport.ok()) << transport.error().message;
  const EchoRequest refused = RequestTo(*IpAddress::Parse("255.255.255.255"),
                                        std::chrono::milliseconds(1));
  EchoRequest answered =
      RequestTo(*IpAddress::Parse("127.0.0.1"), seconds(300));
  answered.tag = 1;
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    for (const EchoRequest& request : {refused, answered}) {
      transport.value()->Send(request);
      ASSERT_TRUE(transport.value()->Drain(seconds(300)));
    }
  }
  EXPECT_EQ(results.Outcomes(1),
            std::vector<EchoOutcome>(kRounds, EchoOutcome::kReply));
}

}  // namespace
}  // namespace echo_exporter
