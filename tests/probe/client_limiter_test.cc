#include "src/probe/client_limiter.h"

#include <gtest/gtest.h>

#include "tests/support/fake_echo_transport.h"
#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ClientLimiterTest : public testing::Test {
 protected:
  bool Asks(ClientLimiter& limiter, const std::string& client) {
    return limiter.Take(Address(client), clock_.Now()) == Nanoseconds::zero();
  }

  ManualClock clock_{SteadyTime(std::chrono::hours(1))};
};

TEST_F(ClientLimiterTest, LimitsEachClientByItself) {
  ClientLimiter limiter(2, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Asks(limiter, "192.0.2.1")) << i;
  EXPECT_EQ(limiter.Take(Address("192.0.2.1"), clock_.Now()),
            milliseconds(500));
  EXPECT_TRUE(Asks(limiter, "192.0.2.2"));
  clock_.Advance(milliseconds(500));
  EXPECT_TRUE(Asks(limiter, "192.0.2.1"));
  EXPECT_FALSE(Asks(limiter, "192.0.2.1"));
}

TEST_F(ClientLimiterTest, TakesAnIpv6NetworkForOneClient) {
  ClientLimiter limiter(1, 1);
  EXPECT_TRUE(Asks(limiter, "2001:db8:0:1::1"));
  EXPECT_FALSE(Asks(limiter, "2001:db8:0:1:ffff:ffff:ffff:ffff"));
  EXPECT_TRUE(Asks(limiter, "2001:db8:0:2::1"));
  EXPECT_TRUE(Asks(limiter, "32.1.13.184"));  // the same first four bytes
}

TEST_F(ClientLimiterTest, HasNoLimitAtZero) {
  ClientLimiter limiter(0, 1);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Asks(limiter, "192.0.2.1"));
}

TEST_F(ClientLimiterTest, ForgetsWhoHasNotAskedForLongest) {
  ClientLimiter limiter(0.001, 1);
  EXPECT_TRUE(Asks(limiter, "192.0.2.1"));
  EXPECT_TRUE(Asks(limiter, "192.0.2.2"));
  EXPECT_FALSE(Asks(limiter, "192.0.2.1"));  // the last one to ask now
  for (std::size_t i = 0; i < ClientLimiter::kMaxClients - 1; ++i) {
    const IpAddress other =
        IpAddress::V4({10, 0, static_cast<std::uint8_t>(i >> 8),
                       static_cast<std::uint8_t>(i)});
    EXPECT_EQ(limiter.Take(other, clock_.Now()), Nanoseconds::zero());
  }
  EXPECT_FALSE(Asks(limiter, "192.0.2.1"));
  EXPECT_TRUE(Asks(limiter, "192.0.2.2"));
}

}  // namespace
}  // namespace echo_exporter
