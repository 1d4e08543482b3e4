#include "src/transport/echo_buffer_windows.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/support/scripted_icmp_windows.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

const IpAddress kDestination = *IpAddress::Parse("192.0.2.1");
const IpAddress kDestination6 = *IpAddress::Parse("2001:db8::1");
constexpr Nanoseconds kMeasured = microseconds(1200);

EchoRequest RequestTo(const IpAddress& destination, std::uint16_t size) {
  EchoRequest request;
  request.destination = destination;
  request.timeout = seconds(1);
  request.payload_size = size;
  return request;
}

// What the system is given for a prepared buffer.
IcmpCall CallOf(EchoBuffer& buffer) {
  IcmpCall call;
  call.payload.assign(reinterpret_cast<const char*>(buffer.payload()),
                      buffer.payload_size());
  call.reply = static_cast<std::uint8_t*>(buffer.reply());
  call.reply_size = buffer.reply_size();
  return call;
}

TEST(EchoBufferWindowsTest, AsksForTheDocumentedSize) {
  // On 64-bit systems: structure + payload + 8 + IO_STATUS_BLOCK of 16.
  ASSERT_EQ(sizeof(void*), 8u);
  EXPECT_EQ(ReplyBufferSize(IpVersion::kV4, 0), 64u);
  EXPECT_EQ(ReplyBufferSize(IpVersion::kV4, 32), 96u);
  EXPECT_EQ(ReplyBufferSize(IpVersion::kV4, 65500), 65564u);
  EXPECT_EQ(ReplyBufferSize(IpVersion::kV6, 32), 92u);
}

TEST(EchoBufferWindowsTest, TellsAnUntouchedBufferFromASuccess) {
  for (const IpAddress& destination : {kDestination, kDestination6}) {
    EchoBuffer buffer;
    buffer.Prepare(RequestTo(destination, 32), 1);
    const EchoResult result = buffer.Read(kMeasured);
    EXPECT_EQ(result.outcome, EchoOutcome::kGeneralFailure);
    EXPECT_EQ(result.os_code, 11255u);
  }
}

TEST(EchoBufferWindowsTest, ReadsAReply) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV4(call, kDestination, 0, 1, 57, call.payload);
  const EchoResult result = buffer.Read(kMeasured);
  EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  EXPECT_EQ(result.rtt, kMeasured);
  EXPECT_EQ(result.reply_ttl, 57);
  EXPECT_EQ(result.responder, kDestination);
}

TEST(EchoBufferWindowsTest, ReadsAnIpv6Reply) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination6, 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV6(call, kDestination6, 0, 1, call.payload);
  const EchoResult result = buffer.Read(kMeasured);
  EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  EXPECT_EQ(result.reply_ttl, std::nullopt);
  EXPECT_EQ(result.responder, kDestination6);
}

TEST(EchoBufferWindowsTest, ReadsAnEmptyPayload) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 0), 1);
  WriteReplyV4(CallOf(buffer), kDestination, 0, 0, 64, "");
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kReply);
}

TEST(EchoBufferWindowsTest, NamesTheRouterThatSentAnError) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const IpAddress router = *IpAddress::Parse("198.51.100.1");
  WriteReplyV4(CallOf(buffer), router, 11013, 5, 64, "");
  const EchoResult result = buffer.Read(kMeasured);
  EXPECT_EQ(result.outcome, EchoOutcome::kTtlExpired);
  EXPECT_EQ(result.responder, router);
  EXPECT_EQ(result.reply_ttl, std::nullopt);
}

TEST(EchoBufferWindowsTest, CallsAnAlteredPayloadCorrupt) {
  for (const std::size_t position : {0u, 7u, 8u, 31u}) {
    EchoBuffer buffer;
    buffer.Prepare(RequestTo(kDestination, 32), 1);
    const IcmpCall call = CallOf(buffer);
    std::string data = call.payload;
    data[position] = static_cast<char>(data[position] ^ 1);
    WriteReplyV4(call, kDestination, 0, 1, 64, data);
    EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply)
        << position;
  }
}

TEST(EchoBufferWindowsTest, CallsATruncatedPayloadCorrupt) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV4(call, kDestination, 0, 1, 64, call.payload.substr(0, 31));
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply);

  buffer.Prepare(RequestTo(kDestination6, 32), 2);
  const IcmpCall call6 = CallOf(buffer);
  WriteReplyV6(call6, kDestination6, 0, 1, call6.payload.substr(0, 31));
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply);
}

TEST(EchoBufferWindowsTest, DoesNotTakeTheReplyToAnEarlierRequest) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const std::string earlier = CallOf(buffer).payload;
  buffer.Prepare(RequestTo(kDestination, 32), 2);
  WriteReplyV4(CallOf(buffer), kDestination, 0, 1, 64, earlier);
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply);
}

TEST(EchoBufferWindowsTest, DoesNotFollowADataPointerOutOfItsBuffer) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV4(call, kDestination, 0, 1, 64, call.payload);
  void* const astray[] = {nullptr, call.reply - 1,
                          call.reply + call.reply_size - 31,
                          call.reply + call.reply_size,
                          reinterpret_cast<void*>(std::uintptr_t{1} << 46)};
  for (void* const pointer : astray) {
    std::memcpy(call.reply + offsetof(EchoReplyV4, data), &pointer,
                sizeof(pointer));
    EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply);
  }
}

TEST(EchoBufferWindowsTest, RefusesAReplyFromAnotherHost) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(kDestination, 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV4(call, *IpAddress::Parse("192.0.2.2"), 0, 1, 64, call.payload);
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kCorruptReply);
}

TEST(EchoBufferWindowsTest, AcceptsAnyHostsReplyToAMulticastRequest) {
  EchoBuffer buffer;
  buffer.Prepare(RequestTo(*IpAddress::Parse("224.0.0.1"), 32), 1);
  const IcmpCall call = CallOf(buffer);
  WriteReplyV4(call, kDestination, 0, 1, 64, call.payload);
  EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kReply);
}

TEST(EchoBufferWindowsTest, CallsAReplyAfterTheTimeoutATimeout) {
  EchoBuffer buffer;
  EchoRequest request = RequestTo(kDestination, 32);
  request.timeout = milliseconds(10);
  for (const auto& [measured, outcome] :
       {std::pair<Nanoseconds, EchoOutcome>{milliseconds(10),
                                            EchoOutcome::kReply},
        {milliseconds(10) + Nanoseconds(1), EchoOutcome::kTimeout}}) {
    buffer.Prepare(request, 1);
    const IcmpCall call = CallOf(buffer);
    WriteReplyV4(call, kDestination, 0, 10, 64, call.payload);
    EXPECT_EQ(buffer.Read(measured).outcome, outcome);
  }
}

TEST(EchoBufferWindowsTest, DoesNotCallAReplyLateBecauseItsCallbackWas) {
  EchoBuffer buffer;
  EchoRequest request = RequestTo(kDestination, 32);
  request.timeout = milliseconds(10);
  // The most that is not recognisable as a delay of the callback.
  for (const auto& [kernel_ms, outcome] :
       {std::pair<std::uint32_t, EchoOutcome>{9, EchoOutcome::kReply},
        {10, EchoOutcome::kTimeout}}) {
    buffer.Prepare(request, 1);
    const IcmpCall call = CallOf(buffer);
    WriteReplyV4(call, kDestination, 0, kernel_ms, 64, call.payload);
    const Nanoseconds measured = milliseconds(kernel_ms) + microseconds(1500);
    EXPECT_EQ(buffer.Read(measured).outcome, outcome);
  }
}

TEST(EchoBufferWindowsTest, ServesRequestsOfAnySizeInTurn) {
  EchoBuffer buffer;
  std::uint64_t cookie = 0;
  for (const int bytes : {0, 1, 7, 8, 32, 65500, 3, 1472, 0}) {
    const auto size = static_cast<std::uint16_t>(bytes);
    buffer.Prepare(RequestTo(kDestination, size), ++cookie);
    const IcmpCall call = CallOf(buffer);
    ASSERT_EQ(call.payload.size(), size);
    WriteReplyV4(call, kDestination, 0, 1, 64, call.payload);
    EXPECT_EQ(buffer.Read(kMeasured).outcome, EchoOutcome::kReply) << size;
  }
}

TEST(ReconcileRttTest, TakesTheMeasurementWithinTheMillisecondsOfTheSystem) {
  for (const auto& measured : {microseconds(4000), microseconds(5000),
                               microseconds(5999), microseconds(6500)}) {
    const ReconciledRtt rtt = ReconcileRtt(measured, 5);
    EXPECT_EQ(rtt.rtt, measured);
    EXPECT_EQ(rtt.completion_delay, Nanoseconds(0));
  }
}

TEST(ReconcileRttTest, CountsWhatTheSystemDidNotSeeAsCompletionDelay) {
  const ReconciledRtt rtt = ReconcileRtt(milliseconds(80), 5);
  EXPECT_EQ(rtt.rtt, microseconds(5500));
  EXPECT_EQ(rtt.completion_delay, microseconds(74500));
}

// It encloses the system's own, whose clock must then be coarse.
TEST(ReconcileRttTest, TakesTheMeasurementWhenTheSystemsTimeIsLonger) {
  EXPECT_EQ(ReconcileRtt(microseconds(3999), 5).rtt, microseconds(3999));
  EXPECT_EQ(ReconcileRtt(microseconds(300), 16).rtt, microseconds(300));
  EXPECT_EQ(ReconcileRtt(Nanoseconds(0), 0).rtt, Nanoseconds(0));
}

TEST(ReconcileRttTest, KeepsSubMillisecondMeasurements) {
  EXPECT_EQ(ReconcileRtt(microseconds(73), 0).rtt, microseconds(73));
  EXPECT_EQ(ReconcileRtt(microseconds(600), 1).rtt, microseconds(600));
}

}  // namespace
}  // namespace echo_exporter
