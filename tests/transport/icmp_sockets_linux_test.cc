#include "src/transport/icmp_sockets_linux.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "tests/support/network_namespace_linux.h"

namespace echo_exporter {
namespace {

using std::chrono::minutes;

constexpr SteadyTime kStart{std::chrono::hours(1)};

class IcmpSocketsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!NetworkNamespace::IsAllowed()) {
      GTEST_SKIP() << "making a network namespace needs root";
    }
    network_.emplace(AllowedSockets::kDatagram);
    auto sockets = IcmpSockets::Open(/*packets_at_once=*/1);
    ASSERT_TRUE(sockets.ok()) << sockets.error().message;
    sockets_ = std::move(sockets).value();
  }

  /// The socket for requests from ::1, by an adapter of that number (0: any).
  IcmpSocket* From(std::uint32_t adapter, SteadyTime now) {
    EchoRequest request;
    request.source = request.destination = *IpAddress::Parse("::1");
    request.source_interface = adapter;
    return sockets_->ForRequest(request, now, &is_new_, &code_);
  }

  std::optional<NetworkNamespace> network_;
  std::unique_ptr<IcmpSockets> sockets_;
  bool is_new_ = false;
  int code_ = 0;
};

TEST_F(IcmpSocketsTest, HasOneForEachIpv6Source) {
  const auto generation = sockets_->generation();
  const IcmpSocket* const any = From(0, kStart);
  ASSERT_NE(any, nullptr) << code_;
  EXPECT_TRUE(is_new_);
  EXPECT_NE(sockets_->generation(), generation);
  EXPECT_NE(From(1, kStart), any);
  EXPECT_EQ(From(0, kStart), any);
  EXPECT_FALSE(is_new_);
  EXPECT_EQ(sockets_->All().size(), 4U);
}

TEST_F(IcmpSocketsTest, ClosesThoseThatNoneHasUsedForLong) {
  From(0, kStart);
  const std::weak_ptr<IcmpSocket> unused = sockets_->All().back();
  From(1, kStart + minutes(6));
  EXPECT_TRUE(is_new_);
  EXPECT_TRUE(unused.expired());
  EXPECT_EQ(sockets_->All().size(), 3U);
  // It comes back when it is needed.
  EXPECT_NE(From(0, kStart + minutes(7)), nullptr);
  EXPECT_TRUE(is_new_);
  EXPECT_EQ(sockets_->All().size(), 4U);
}

}  // namespace
}  // namespace echo_exporter
