#include "src/transport/icmp_sockets_linux.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tests/support/network_namespace_linux.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr SteadyTime kFirstBind{std::chrono::hours(1)};

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

  /// Gives this host as many addresses as there may be sockets, and one more.
  void AddSources() {
    const std::string path =
        testing::TempDir() +
        testing::UnitTest::GetInstance()->current_test_info()->name() + ".ip";
    std::ofstream batch(path);
    for (std::uint32_t i = 0; i <= IcmpSockets::kMostSockets; ++i) {
      batch << "address add " << Source(i).ToString() << "/128 dev lo nodad\n";
    }
    batch.close();
    network_->Ip("-batch " + path);
    std::filesystem::remove(path);
  }

  static IpAddress Source(std::uint32_t number) {
    std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8, 0, 5};
    bytes[14] = static_cast<std::uint8_t>(number >> 8);
    bytes[15] = static_cast<std::uint8_t>(number);
    return IpAddress::V6(bytes);
  }

  IcmpSocket* FromSource(std::uint32_t number, SteadyTime now) {
    EchoRequest request;
    request.destination = *IpAddress::Parse("::1");
    request.source = Source(number);
    return sockets_->ForRequest(request, now, &is_new_, &code_);
  }

  IcmpSocket* For(const EchoFlow& flow, SteadyTime now) {
    EchoRequest request;
    request.destination = *IpAddress::Parse("127.0.0.1");
    request.flow = flow;
    return sockets_->ForRequest(request, now, &is_new_, &code_);
  }

  std::optional<NetworkNamespace> network_;
  std::unique_ptr<IcmpSockets> sockets_;
  bool is_new_ = false;
  int code_ = 0;
};

TEST_F(IcmpSocketsTest, HasOneForEachIpv6Source) {
  const auto generation = sockets_->generation();
  const IcmpSocket* const any = From(0, kFirstBind);
  ASSERT_NE(any, nullptr) << code_;
  EXPECT_TRUE(is_new_);
  EXPECT_NE(sockets_->generation(), generation);
  EXPECT_NE(From(1, kFirstBind), any);
  EXPECT_EQ(From(0, kFirstBind), any);
  EXPECT_FALSE(is_new_);
  EXPECT_EQ(sockets_->All().size(), 4U);
}

TEST_F(IcmpSocketsTest, ClosesThoseThatNoneHasUsedForLong) {
  From(0, kFirstBind);
  const std::weak_ptr<IcmpSocket> unused = sockets_->All().back();
  From(1, kFirstBind + minutes(6));
  EXPECT_TRUE(is_new_);
  EXPECT_TRUE(unused.expired());
  EXPECT_EQ(sockets_->All().size(), 3U);
  // It comes back when it is needed.
  EXPECT_NE(From(0, kFirstBind + minutes(7)), nullptr);
  EXPECT_TRUE(is_new_);
  EXPECT_EQ(sockets_->All().size(), 4U);
}

TEST_F(IcmpSocketsTest, ClosesTheLeastRecentlyUsedOfTooMany) {
  AddSources();
  std::weak_ptr<IcmpSocket> busy, oldest, next;
  for (std::uint32_t i = 0; i < IcmpSockets::kMostSockets; ++i) {
    ASSERT_NE(FromSource(i, kFirstBind + milliseconds(i)), nullptr) << code_;
    if (i == 0) busy = sockets_->All().back();
    if (i == 1) oldest = sockets_->All().back();
    if (i == 2) next = sockets_->All().back();
  }
  ++busy.lock()->requests();
  FromSource(IcmpSockets::kMostSockets, kFirstBind + seconds(1));
  EXPECT_EQ(sockets_->All().size(), 2 + IcmpSockets::kMostSockets);
  EXPECT_FALSE(busy.expired());
  EXPECT_TRUE(oldest.expired());
  EXPECT_FALSE(next.expired());
  --busy.lock()->requests();
}

TEST_F(IcmpSocketsTest, HasNoRoomWhenEachHasRequests) {
  AddSources();
  for (std::uint32_t i = 0; i < IcmpSockets::kMostSockets; ++i) {
    ++FromSource(i, kFirstBind)->requests();
  }
  EXPECT_EQ(FromSource(IcmpSockets::kMostSockets, kFirstBind + minutes(10)),
            nullptr);
  EXPECT_EQ(code_, ENFILE);
  // Flows share an identifier rather than having no socket.
  const EchoFlow fresh{.kind = EchoFlow::Kind::kFresh};
  EXPECT_EQ(For(fresh, kFirstBind), For({}, kFirstBind));
}

TEST_F(IcmpSocketsTest, HasAnotherForEachRenewal) {
  IcmpSocket* const first = For({}, kFirstBind);
  EXPECT_EQ(For({.owner = 5}, kFirstBind), first);
  std::set<IcmpSocket*> sockets;
  std::set<std::uint16_t> identifiers;
  for (std::uint32_t i = 0; i < IcmpSockets::kSteadySockets; ++i) {
    IcmpSocket* const socket = For({.renewals = i}, kFirstBind);
    sockets.insert(socket);
    identifiers.insert(socket->IdentifierFor({}));
  }
  EXPECT_EQ(sockets.size(), IcmpSockets::kSteadySockets);
  EXPECT_EQ(identifiers.size(), IcmpSockets::kSteadySockets);
  EXPECT_EQ(For({.renewals = IcmpSockets::kSteadySockets}, kFirstBind), first);
}

TEST_F(IcmpSocketsTest, RenewsThatOfBriefFlowsAgainAndAgain) {
  const EchoFlow brief{.kind = EchoFlow::Kind::kBrief};
  std::set<std::uint16_t> identifiers;
  SteadyTime now = kFirstBind;
  for (int i = 0; i < 400; ++i, now += IcmpSockets::kBriefUse / 4) {
    identifiers.insert(For(brief, now)->IdentifierFor(brief));
  }
  EXPECT_EQ(identifiers.size(), 100U);
  // They stay a while for late replies.
  EXPECT_LE(sockets_->All().size(), 25U);
  // And as long as they have requests.
  IcmpSocket* const used = For(brief, now += IcmpSockets::kBriefUse);
  ++used->requests();
  now += minutes(1);
  for (int i = 0; i < 8; ++i) For(brief, now += IcmpSockets::kBriefUse);
  const auto all = sockets_->All();
  EXPECT_TRUE(std::ranges::any_of(
      all, [&](const auto& socket) { return socket.get() == used; }));
}

}  // namespace
}  // namespace echo_exporter
