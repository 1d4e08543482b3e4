#include <gtest/gtest.h>

#include <map>

#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {
namespace {

// Every code that ipexport.h names, and the Win32 errors that the API is known
// to give. What is not here is kOther.
const std::map<std::uint32_t, EchoOutcome> kBothVersions = {
    {0, EchoOutcome::kReply},
    {11002, EchoOutcome::kNetUnreachable},
    {11003, EchoOutcome::kHostUnreachable},
    {11005, EchoOutcome::kPortUnreachable},
    {11006, EchoOutcome::kNoResources},
    {11008, EchoOutcome::kGeneralFailure},
    {11009, EchoOutcome::kPacketTooBig},
    {11010, EchoOutcome::kTimeout},
    {11012, EchoOutcome::kNetUnreachable},
    {11013, EchoOutcome::kTtlExpired},
    {11014, EchoOutcome::kTtlExpired},
    {11040, EchoOutcome::kHostUnreachable},
    {11041, EchoOutcome::kTtlExpired},
    {11050, EchoOutcome::kGeneralFailure},
    {11255, EchoOutcome::kGeneralFailure},
    {4, EchoOutcome::kNoResources},
    {8, EchoOutcome::kNoResources},
    {14, EchoOutcome::kNoResources},
    {1214, EchoOutcome::kBadSource},
    {1231, EchoOutcome::kNetUnreachable},
    {1232, EchoOutcome::kHostUnreachable},
    {1233, EchoOutcome::kProtocolUnreachable},
    {1234, EchoOutcome::kPortUnreachable},
    {1450, EchoOutcome::kNoResources},
    {1451, EchoOutcome::kNoResources},
    {1453, EchoOutcome::kNoResources},
    {1816, EchoOutcome::kNoResources},
};

TEST(EchoStatusWindowsTest, MapsEveryCodeToItsOutcome) {
  for (std::uint32_t code = 0; code <= 12000; ++code) {
    if (code == 11004) continue;
    const auto known = kBothVersions.find(code);
    const EchoOutcome expected =
        known == kBothVersions.end() ? EchoOutcome::kOther : known->second;
    EXPECT_EQ(OutcomeOfStatus(code, IpVersion::kV4), expected) << code;
    EXPECT_EQ(OutcomeOfStatus(code, IpVersion::kV6), expected) << code;
  }
}

TEST(EchoStatusWindowsTest, ReadsTheCodeWithTwoNamesByIpVersion) {
  EXPECT_EQ(OutcomeOfStatus(11004, IpVersion::kV4),
            EchoOutcome::kProtocolUnreachable);
  EXPECT_EQ(OutcomeOfStatus(11004, IpVersion::kV6), EchoOutcome::kProhibited);
}

TEST(EchoStatusWindowsTest, TakesAnyNumberForACode) {
  for (const std::uint32_t code : {0x80000000U, 0xC000009AU, 0xFFFFFFFFU}) {
    EXPECT_EQ(OutcomeOfStatus(code, IpVersion::kV4), EchoOutcome::kOther);
  }
}

}  // namespace
}  // namespace echo_exporter
