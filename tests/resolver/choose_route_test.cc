#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "echo_exporter/address_book.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

using Addresses = std::vector<IpAddress>;

IpAddress Address(const char* text) { return IpAddress::Parse(text).value(); }

RouteChoice Choose(const std::optional<Addresses>& sources,
                   const Addresses& destinations,
                   IpPreference preference = IpPreference::kAny) {
  std::optional<SourceAddresses> usable;
  if (sources) usable = SourceAddresses{.addresses = *sources};
  return ChooseRoute(usable, destinations, preference, true, true);
}

RouteChoice From(const char* source, const char* destination) {
  return Route{Address(source), Address(destination)};
}

RouteChoice FromAnywhere(const char* destination) {
  return Route{std::nullopt, Address(destination)};
}

TEST(ChooseRouteTest, LeavesTheSourceToTheSystemForAuto) {
  EXPECT_EQ(
      Choose(std::nullopt, {Address("2001:db8::1"), Address("192.0.2.1")}),
      FromAnywhere("2001:db8::1"));
}

TEST(ChooseRouteTest, HonoursTheIpVersionAskedFor) {
  const Addresses both = {Address("2001:db8::1"), Address("192.0.2.1")};
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kV4Only),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kV6Only),
            FromAnywhere("2001:db8::1"));
  EXPECT_EQ(Choose(std::nullopt, {Address("192.0.2.1")}, IpPreference::kV6Only),
            RouteChoice(NoRoute::kVersionMismatch));
}

TEST(ChooseRouteTest, PrefersAnIpVersionAndFallsBackToTheOther) {
  const Addresses both = {Address("2001:db8::1"), Address("192.0.2.1"),
                          Address("192.0.2.2"), Address("2001:db8::2")};
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kPreferV4),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kPreferV6),
            FromAnywhere("2001:db8::1"));
  EXPECT_EQ(
      Choose(std::nullopt, {Address("192.0.2.1")}, IpPreference::kPreferV6),
      FromAnywhere("192.0.2.1"));
  EXPECT_EQ(
      Choose(std::nullopt, {Address("2001:db8::1")}, IpPreference::kPreferV4),
      FromAnywhere("2001:db8::1"));
  EXPECT_EQ(
      Choose(Addresses{Address("198.51.100.7")}, both, IpPreference::kPreferV6),
      From("198.51.100.7", "192.0.2.1"));
}

TEST(ChooseRouteTest, PassesOverVersionsTheTransportCannotSend) {
  const Addresses both = {Address("2001:db8::1"), Address("192.0.2.1")};
  EXPECT_EQ(ChooseRoute(std::nullopt, both, IpPreference::kAny, true, false),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(ChooseRoute(std::nullopt, {Address("192.0.2.1")},
                        IpPreference::kAny, false, true),
            RouteChoice(NoRoute::kVersionMismatch));
}

TEST(ChooseRouteTest, TakesTheFirstDestinationThatASourceCanReach) {
  EXPECT_EQ(Choose(Addresses{Address("198.51.100.7")},
                   {Address("2001:db8::1"), Address("192.0.2.1"),
                    Address("192.0.2.2")}),
            From("198.51.100.7", "192.0.2.1"));
  EXPECT_EQ(Choose(Addresses{Address("198.51.100.7"), Address("2001:db8::7")},
                   {Address("2001:db8::1"), Address("192.0.2.1")}),
            From("2001:db8::7", "2001:db8::1"));
}

TEST(ChooseRouteTest, SendsFromLinkLocalAddressesOnTheirLinkOnly) {
  const Addresses sources = {Address("fe80::7%3"), Address("2001:db8::7")};
  EXPECT_EQ(Choose(sources, {Address("2001:db8::1")}),
            From("2001:db8::7", "2001:db8::1"));
  EXPECT_EQ(Choose(sources, {Address("fe80::1%3")}),
            From("fe80::7%3", "fe80::1%3"));
  EXPECT_EQ(Choose(Addresses{Address("fe80::7%3")}, {Address("fe80::1%4")}),
            RouteChoice(NoRoute::kVersionMismatch));
  EXPECT_EQ(Choose(Addresses{Address("fe80::7%3")}, {Address("fe80::1")}),
            From("fe80::7%3", "fe80::1"));
}

TEST(ChooseRouteTest, LeavesByTheAdapterThatHasTheSource) {
  const SourceAddresses sources{.addresses = {Address("198.51.100.7")},
                                .interface_index = 7};
  EXPECT_EQ(
      ChooseRoute(sources, {Address("192.0.2.1")}, IpPreference::kAny, true,
                  true),
      RouteChoice(Route{Address("198.51.100.7"), Address("192.0.2.1"), 7}));
}

TEST(ChooseRouteTest, SaysWhatIsMissing) {
  EXPECT_EQ(Choose(std::nullopt, {}),
            RouteChoice(NoRoute::kDestinationUnresolved));
  EXPECT_EQ(Choose(Addresses{}, {}),
            RouteChoice(NoRoute::kDestinationUnresolved));
  EXPECT_EQ(Choose(Addresses{}, {Address("192.0.2.1")}),
            RouteChoice(NoRoute::kSourceUnavailable));
  EXPECT_EQ(
      Choose(Addresses{Address("198.51.100.7")}, {Address("2001:db8::1")}),
      RouteChoice(NoRoute::kVersionMismatch));
}

TEST(AddressOrderTest, PutsStableAddressesThatReachFurthestFirst) {
  const Addresses ordered = OrderSources({
      {.address = Address("fe80::1%3"), .temporary = false},
      {.address = Address("2001:db8::aaaa"), .temporary = true},
      {.address = Address("2001:db8::1"), .temporary = false},
      {.address = Address("192.0.2.1"), .temporary = false},
      {.address = Address("192.0.2.1"), .temporary = false},
  });
  EXPECT_EQ(ordered,
            (Addresses{Address("2001:db8::1"), Address("192.0.2.1"),
                       Address("2001:db8::aaaa"), Address("fe80::1%3")}));
}

}  // namespace
}  // namespace echo_exporter
