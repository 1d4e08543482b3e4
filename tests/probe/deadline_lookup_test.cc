#include "src/probe/deadline_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SteadyTime Now() { return Clock::System().Now(); }
SteadyTime Later() { return Now() + std::chrono::hours(1); }

class DeadlineLookupTest : public testing::Test {
 protected:
  FakeAddressLookup system_;
  std::optional<DeadlineLookup> lookup_{std::in_place, system_};
};

TEST_F(DeadlineLookupTest, GivesWhatTheSystemGives) {
  system_.Set("a.example.net", {Address("192.0.2.1"), Address("2001:db8::1")});
  const auto found = lookup_->ResolveName("a.example.net", Later());
  ASSERT_TRUE(found.ok());
  EXPECT_THAT(found.value(),
              ElementsAre(Address("192.0.2.1"), Address("2001:db8::1")));
}

TEST_F(DeadlineLookupTest, PassesFailuresOn) {
  const auto found = lookup_->ResolveName("nowhere.example.net", Later());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
}

TEST_F(DeadlineLookupTest, GoesOnAfterALookupThatHadNoMemory) {
  system_.Set("a.example.net", {Address("192.0.2.1")});
  system_.RunOutOfMemory("a.example.net", 1);
  const auto found = lookup_->ResolveName("a.example.net", Later());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(found.error().message,
            "resolving a.example.net: no thread or no memory for the lookup");
  EXPECT_TRUE(lookup_->ResolveName("a.example.net", Later()).ok());
}

TEST_F(DeadlineLookupTest, FailsWhenThereIsNoAnswerAtTheDeadline) {
  system_.Block("slow.example.net");
  const auto found = lookup_->ResolveName("slow.example.net", Now());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(found.error().message, "resolving slow.example.net: timeout");
  system_.Release("slow.example.net");
}

TEST_F(DeadlineLookupTest, AnswersOthersWhileOneHangs) {
  system_.Block("slow.example.net");
  system_.Set("a.example.net", {Address("192.0.2.1")});
  EXPECT_FALSE(lookup_->ResolveName("slow.example.net", Now()).ok());
  EXPECT_TRUE(lookup_->ResolveName("a.example.net", Later()).ok());
  system_.Release("slow.example.net");
}

SourceConfig FromAdapter(const std::string& name) {
  return {.name = "wan",
          .kind = SourceConfig::Kind::kInterface,
          .address = {},
          .interface_name = name};
}

TEST_F(DeadlineLookupTest, GivesTheAddressesAndTheNumberOfAnAdapter) {
  system_.Set("Ethernet 2", {Address("198.51.100.7")});
  system_.SetInterfaceIndex("Ethernet 2", 7);
  const auto found = lookup_->FindSources(FromAdapter("Ethernet 2"), Later());
  ASSERT_TRUE(found.ok());
  ASSERT_TRUE(found.value());
  EXPECT_THAT(found.value()->addresses, ElementsAre(Address("198.51.100.7")));
  EXPECT_EQ(found.value()->interface_index, 7U);
}

TEST_F(DeadlineLookupTest, FailsWhenAnAdapterIsNotReadAtTheDeadline) {
  system_.Block("Ethernet 2");
  const auto found = lookup_->FindSources(FromAdapter("Ethernet 2"), Now());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(found.error().message, "reading interface Ethernet 2: timeout");
  system_.Release("Ethernet 2");
}

TEST_F(DeadlineLookupTest, SourcesThatAreNoAdaptersNeedNoTime) {
  const auto anywhere = lookup_->FindSources(SourceConfig(), Now());
  ASSERT_TRUE(anywhere.ok());
  EXPECT_FALSE(anywhere.value());
  const auto address =
      lookup_->FindSources({.name = "wan",
                            .kind = SourceConfig::Kind::kAddress,
                            .address = Address("198.51.100.7"),
                            .interface_name = ""},
                           Now());
  ASSERT_TRUE(address.ok());
  ASSERT_TRUE(address.value());
  EXPECT_THAT(address.value()->addresses, ElementsAre(Address("198.51.100.7")));
}

std::string Dead(std::size_t number) {
  return "dead" + std::to_string(number) + ".example.net";
}

TEST_F(DeadlineLookupTest, BoundsTheLookupsThatHang) {
  system_.Set("known.example.net", {Address("192.0.2.1")});
  ASSERT_TRUE(lookup_->ResolveName("known.example.net", Later()).ok());
  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    system_.Block(Dead(i));
    ASSERT_EQ(lookup_->ResolveName(Dead(i), Now()).error().code,
              ErrorCode::kUnavailable);
  }
  system_.Set("new.example.net", {Address("192.0.2.2")});
  const auto found = lookup_->ResolveName("new.example.net", Later());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(found.error().message, HasSubstr("new.example.net"));
  EXPECT_EQ(system_.calls("new.example.net"), 0);
  // A name that had an answer is not held up by those without, nor an adapter.
  EXPECT_TRUE(lookup_->ResolveName("known.example.net", Later()).ok());
  system_.Set("Ethernet 2", {Address("198.51.100.7")});
  EXPECT_TRUE(lookup_->FindSources(FromAdapter("Ethernet 2"), Later()).ok());

  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    system_.Release(Dead(i));
  }
  while (!lookup_->ResolveName("new.example.net", Later()).ok()) {
    std::this_thread::yield();
  }
}

TEST_F(DeadlineLookupTest, ANameWithoutAnAnswerLosesItsPreference) {
  system_.Set("a.example.net", {Address("192.0.2.1")});
  ASSERT_TRUE(lookup_->ResolveName("a.example.net", Later()).ok());
  system_.Fail("a.example.net");
  ASSERT_FALSE(lookup_->ResolveName("a.example.net", Later()).ok());
  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    system_.Block(Dead(i));
    ASSERT_FALSE(lookup_->ResolveName(Dead(i), Now()).ok());
  }
  EXPECT_EQ(lookup_->ResolveName("a.example.net", Later()).error().code,
            ErrorCode::kExhausted);
  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    system_.Release(Dead(i));
  }
}

TEST_F(DeadlineLookupTest, AsksOnceForAllWhoWaitForTheSame) {
  system_.Block("slow.example.net");
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(lookup_->ResolveName("slow.example.net", Now()).error().code,
              ErrorCode::kUnavailable);
  }
  system_.WaitForCalls("slow.example.net", 1);
  EXPECT_EQ(system_.calls("slow.example.net"), 1);
  system_.Release("slow.example.net");
}

TEST_F(DeadlineLookupTest, RefusesAddressesThatNoHostHas) {
  system_.Set("null.example.net", {Address("0.0.0.0"), Address("::")});
  const auto none = lookup_->ResolveName("null.example.net", Later());
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message,
            "resolving null.example.net: 0.0.0.0, ::: not an address that a "
            "host can have");
  system_.Set("part.example.net", {Address("224.0.0.1"), Address("192.0.2.1")});
  const auto part = lookup_->ResolveName("part.example.net", Later());
  ASSERT_TRUE(part.ok());
  EXPECT_THAT(part.value(), ElementsAre(Address("192.0.2.1")));
}

TEST_F(DeadlineLookupTest, FindsTheZoneThatAnAdapterHasNow) {
  const ZonedAddress target = ZonedAddress::Parse("fe80::1%Ethernet 2").value();
  EXPECT_EQ(lookup_->FindAddress(target, Later()).error().code,
            ErrorCode::kNotFound);
  system_.Set("Ethernet 2", {});
  system_.SetInterfaceIndex("Ethernet 2", 7);
  EXPECT_EQ(lookup_->FindAddress(target, Later()).value(),
            Address("fe80::1%7"));
  const auto sources =
      lookup_->FindSources({.name = "wan",
                            .kind = SourceConfig::Kind::kAddress,
                            .address = target.address,
                            .zone = target.zone,
                            .interface_name = ""},
                           Later());
  ASSERT_TRUE(sources.ok());
  EXPECT_THAT(sources.value()->addresses, ElementsAre(Address("fe80::1%7")));
}

TEST_F(DeadlineLookupTest, WaitsAtItsEndForLookupsThatHang) {
  system_.Block("slow.example.net");
  ASSERT_FALSE(lookup_->ResolveName("slow.example.net", Now()).ok());
  system_.WaitForCalls("slow.example.net", 1);
  std::thread releaser([this] { system_.Release("slow.example.net"); });
  lookup_.reset();
  releaser.join();
}

}  // namespace
}  // namespace echo_exporter
