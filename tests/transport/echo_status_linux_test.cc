#include "src/transport/echo_status_linux.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <optional>
#include <utility>

namespace echo_exporter {
namespace {

using Outcome = std::optional<EchoOutcome>;
using TypeAndCode = std::pair<int, int>;

// What is not here is kOther. Type 3: RFC 792, RFC 1122 section 3.2.2.1 and
// RFC 1812 section 5.2.7.1.
const std::map<TypeAndCode, EchoOutcome> kIcmpV4 = {
    {{3, 0}, EchoOutcome::kNetUnreachable},
    {{3, 1}, EchoOutcome::kHostUnreachable},
    {{3, 2}, EchoOutcome::kProtocolUnreachable},
    {{3, 3}, EchoOutcome::kPortUnreachable},
    {{3, 4}, EchoOutcome::kPacketTooBig},
    {{3, 5}, EchoOutcome::kNetUnreachable},
    {{3, 6}, EchoOutcome::kNetUnreachable},
    {{3, 7}, EchoOutcome::kHostUnreachable},
    {{3, 8}, EchoOutcome::kHostUnreachable},
    {{3, 9}, EchoOutcome::kProhibited},
    {{3, 10}, EchoOutcome::kProhibited},
    {{3, 11}, EchoOutcome::kNetUnreachable},
    {{3, 12}, EchoOutcome::kHostUnreachable},
    {{3, 13}, EchoOutcome::kProhibited},
    {{3, 14}, EchoOutcome::kProhibited},
    {{3, 15}, EchoOutcome::kProhibited},
};

// RFC 4443 section 3.1.
const std::map<TypeAndCode, EchoOutcome> kIcmpV6 = {
    {{1, 0}, EchoOutcome::kNetUnreachable},
    {{1, 1}, EchoOutcome::kProhibited},
    {{1, 3}, EchoOutcome::kHostUnreachable},
    {{1, 4}, EchoOutcome::kPortUnreachable},
    {{1, 5}, EchoOutcome::kProhibited},
    {{1, 6}, EchoOutcome::kProhibited},
};

Outcome Expected(const std::map<TypeAndCode, EchoOutcome>& known, int type,
                 int code) {
  const auto found = known.find({type, code});
  return found == known.end() ? EchoOutcome::kOther : found->second;
}

TEST(EchoStatusLinuxTest, MapsEveryTypeAndCodeOfIcmp) {
  for (int type = 0; type < 256; ++type) {
    for (int code = 0; code < 256; ++code) {
      const Outcome expected = type == 4 || type == 5 ? std::nullopt
                               : type == 11 ? Outcome(EchoOutcome::kTtlExpired)
                                            : Expected(kIcmpV4, type, code);
      ASSERT_EQ(
          OutcomeOfIcmpError(IpVersion::kV4, static_cast<std::uint8_t>(type),
                             static_cast<std::uint8_t>(code)),
          expected)
          << type << "/" << code;
    }
  }
}

TEST(EchoStatusLinuxTest, MapsEveryTypeAndCodeOfIcmpV6) {
  for (int type = 0; type < 256; ++type) {
    for (int code = 0; code < 256; ++code) {
      const Outcome expected = type >= 128 ? std::nullopt
                               : type == 2 ? Outcome(EchoOutcome::kPacketTooBig)
                               : type == 3 ? Outcome(EchoOutcome::kTtlExpired)
                                           : Expected(kIcmpV6, type, code);
      ASSERT_EQ(
          OutcomeOfIcmpError(IpVersion::kV6, static_cast<std::uint8_t>(type),
                             static_cast<std::uint8_t>(code)),
          expected)
          << type << "/" << code;
    }
  }
}

TEST(EchoStatusLinuxTest, MapsEveryErrno) {
  const std::map<int, EchoOutcome> known = {
      {ENETUNREACH, EchoOutcome::kNetUnreachable},
      {EHOSTUNREACH, EchoOutcome::kHostUnreachable},
      {EHOSTDOWN, EchoOutcome::kHostUnreachable},
      {EMSGSIZE, EchoOutcome::kPacketTooBig},
      {EACCES, EchoOutcome::kProhibited},
      {EPERM, EchoOutcome::kProhibited},
      {EADDRNOTAVAIL, EchoOutcome::kBadSource},
      {ENODEV, EchoOutcome::kBadSource},
      {ENXIO, EchoOutcome::kBadSource},
      {EAGAIN, EchoOutcome::kNoResources},
      {ENOBUFS, EchoOutcome::kNoResources},
      {ENOMEM, EchoOutcome::kNoResources},
      {EMFILE, EchoOutcome::kNoResources},
      {ENFILE, EchoOutcome::kNoResources},
      {EAFNOSUPPORT, EchoOutcome::kGeneralFailure},
      {ENETDOWN, EchoOutcome::kGeneralFailure},
      {EIO, EchoOutcome::kGeneralFailure},
  };
  for (int code = 0; code < 4096; ++code) {
    const auto found = known.find(code);
    EXPECT_EQ(OutcomeOfErrno(code),
              found == known.end() ? EchoOutcome::kOther : found->second)
        << code;
  }
}

}  // namespace
}  // namespace echo_exporter
