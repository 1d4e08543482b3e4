#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "echo_exporter/address_book.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

using Addresses = std::vector<IpAddress>;

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

RouteChoice Choose(const std::optional<Addresses>& sources,
                   const Addresses& destinations,
                   IpPreference preference = IpPreference::kAny) {
  std::optional<SourceAddresses> usable;
  if (sources) usable = SourceAddresses{.addresses = *sources};
  return ChooseRoute(usable, destinations, preference, true, true);
}

RouteChoice From(const char* source, const char* destination) {
  return Route{Ip(source), Ip(destination)};
}

RouteChoice FromAnywhere(const char* destination) {
  return Route{std::nullopt, Ip(destination)};
}

TEST(ChooseRouteTest, LeavesTheSourceToTheSystemForAuto) {
  EXPECT_EQ(Choose(std::nullopt, {Ip("2001:db8::1"), Ip("192.0.2.1")}),
            FromAnywhere("2001:db8::1"));
}

TEST(ChooseRouteTest, HonoursTheIpVersionAskedFor) {
  const Addresses both = {Ip("2001:db8::1"), Ip("192.0.2.1")};
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kV4Only),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kV6Only),
            FromAnywhere("2001:db8::1"));
  EXPECT_EQ(Choose(std::nullopt, {Ip("192.0.2.1")}, IpPreference::kV6Only),
            RouteChoice(NoRoute::kVersionMismatch));
}

TEST(ChooseRouteTest, PrefersAnIpVersionAndFallsBackToTheOther) {
  const Addresses both = {Ip("2001:db8::1"), Ip("192.0.2.1"), Ip("192.0.2.2"),
                          Ip("2001:db8::2")};
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kPreferV4),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(Choose(std::nullopt, both, IpPreference::kPreferV6),
            FromAnywhere("2001:db8::1"));
  EXPECT_EQ(Choose(std::nullopt, {Ip("192.0.2.1")}, IpPreference::kPreferV6),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(Choose(std::nullopt, {Ip("2001:db8::1")}, IpPreference::kPreferV4),
            FromAnywhere("2001:db8::1"));
  EXPECT_EQ(
      Choose(Addresses{Ip("198.51.100.7")}, both, IpPreference::kPreferV6),
      From("198.51.100.7", "192.0.2.1"));
}

TEST(ChooseRouteTest, PassesOverVersionsTheTransportCannotSend) {
  const Addresses both = {Ip("2001:db8::1"), Ip("192.0.2.1")};
  EXPECT_EQ(ChooseRoute(std::nullopt, both, IpPreference::kAny, true, false),
            FromAnywhere("192.0.2.1"));
  EXPECT_EQ(ChooseRoute(std::nullopt, {Ip("192.0.2.1")}, IpPreference::kAny,
                        false, true),
            RouteChoice(NoRoute::kVersionMismatch));
}

TEST(ChooseRouteTest, TakesTheFirstDestinationThatASourceCanReach) {
  EXPECT_EQ(Choose(Addresses{Ip("198.51.100.7")},
                   {Ip("2001:db8::1"), Ip("192.0.2.1"), Ip("192.0.2.2")}),
            From("198.51.100.7", "192.0.2.1"));
  EXPECT_EQ(Choose(Addresses{Ip("198.51.100.7"), Ip("2001:db8::7")},
                   {Ip("2001:db8::1"), Ip("192.0.2.1")}),
            From("2001:db8::7", "2001:db8::1"));
}

TEST(ChooseRouteTest, SendsFromLinkLocalAddressesOnTheirLinkOnly) {
  const Addresses sources = {Ip("fe80::7%3"), Ip("2001:db8::7")};
  EXPECT_EQ(Choose(sources, {Ip("2001:db8::1")}),
            From("2001:db8::7", "2001:db8::1"));
  EXPECT_EQ(Choose(sources, {Ip("fe80::1%3")}), From("fe80::7%3", "fe80::1%3"));
  EXPECT_EQ(Choose(Addresses{Ip("fe80::7%3")}, {Ip("fe80::1%4")}),
            RouteChoice(NoRoute::kVersionMismatch));
  EXPECT_EQ(Choose(Addresses{Ip("fe80::7%3")}, {Ip("fe80::1")}),
            From("fe80::7%3", "fe80::1"));
}

TEST(ChooseRouteTest, LeavesByTheAdapterThatHasTheSource) {
  const SourceAddresses sources{.addresses = {Ip("198.51.100.7")},
                                .interface_index = 7};
  EXPECT_EQ(
      ChooseRoute(sources, {Ip("192.0.2.1")}, IpPreference::kAny, true, true),
      RouteChoice(Route{Ip("198.51.100.7"), Ip("192.0.2.1"), 7}));
}

TEST(ChooseRouteTest, SaysWhatIsMissing) {
  EXPECT_EQ(Choose(std::nullopt, {}),
            RouteChoice(NoRoute::kDestinationUnresolved));
  EXPECT_EQ(Choose(Addresses{}, {}),
            RouteChoice(NoRoute::kDestinationUnresolved));
  EXPECT_EQ(Choose(Addresses{}, {Ip("192.0.2.1")}),
            RouteChoice(NoRoute::kSourceUnavailable));
  EXPECT_EQ(Choose(Addresses{Ip("198.51.100.7")}, {Ip("2001:db8::1")}),
            RouteChoice(NoRoute::kVersionMismatch));
}

TEST(AddressOrderTest, PutsStableAddressesThatReachFurthestFirst) {
  const Addresses ordered = OrderSources({
      {.address = Ip("fe80::1%3"), .temporary = false},
      {.address = Ip("2001:db8::aaaa"), .temporary = true},
      {.address = Ip("2001:db8::1"), .temporary = false},
      {.address = Ip("192.0.2.1"), .temporary = false},
      {.address = Ip("192.0.2.1"), .temporary = false},
  });
  EXPECT_EQ(ordered, (Addresses{Ip("2001:db8::1"), Ip("192.0.2.1"),
                                Ip("2001:db8::aaaa"), Ip("fe80::1%3")}));
}

TEST(AddressOrderTest, KeepsTheScopeOfLinkLocalAddressesOnly) {
  EXPECT_EQ(V6FromBytes(Ip("fe80::1").bytes().data(), 3), Ip("fe80::1%3"));
  EXPECT_EQ(V6FromBytes(Ip("febf::1").bytes().data(), 3), Ip("febf::1%3"));
  EXPECT_EQ(V6FromBytes(Ip("fec0::1").bytes().data(), 3), Ip("fec0::1"));
  EXPECT_EQ(V6FromBytes(Ip("2001:db8::1").bytes().data(), 3),
            Ip("2001:db8::1"));
}

}  // namespace
}  // namespace echo_exporter
