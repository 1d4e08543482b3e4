// Against the operating system's own resolver and adapters, without a network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "echo_exporter/address_book.h"

namespace echo_exporter {
namespace {

using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

IpAddress Loopback() { return IpAddress::V4({127, 0, 0, 1}); }

TEST(AddressLookupTest, ResolvesAnAddressToItself) {
  const auto lookup = CreateAddressLookup();
  const auto addresses = lookup->ResolveName("127.0.0.1");
  ASSERT_TRUE(addresses.ok()) << addresses.error().message;
  EXPECT_EQ(addresses.value(), std::vector<IpAddress>{Loopback()});
}

TEST(AddressLookupTest, ResolvesLocalhostWithoutANetwork) {
  const auto lookup = CreateAddressLookup();
  const auto addresses = lookup->ResolveName("localhost");
  ASSERT_TRUE(addresses.ok()) << addresses.error().message;
  const auto v6 = IpAddress::Parse("::1").value();
  for (const IpAddress& address : addresses.value()) {
    EXPECT_TRUE(address == Loopback() || address == v6) << address.ToString();
  }
}

TEST(AddressLookupTest, NamesTheNameThatFailed) {
  const auto lookup = CreateAddressLookup();
  const auto addresses = lookup->ResolveName("nonexistent.invalid");
  ASSERT_FALSE(addresses.ok());
  const std::string& message = addresses.error().message;
  EXPECT_THAT(message, StartsWith("resolving nonexistent.invalid: "));
  EXPECT_THAT(message, HasSubstr(" ("));
  EXPECT_THAT(message, EndsWith(")"));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

TEST(AddressLookupTest, RefusesAnEmptyNameAndOneThatIsNotUtf8) {
  const auto lookup = CreateAddressLookup();
  EXPECT_FALSE(lookup->ResolveName("").ok());
  EXPECT_FALSE(lookup->ResolveName("\xff\xfe").ok());
  EXPECT_FALSE(lookup->InterfaceAddresses("\xff\xfe").ok());
}

TEST(AddressLookupTest, ReadsTheLoopbackInterface) {
  const auto lookup = CreateAddressLookup();
  bool found = false;
  // Linux and Wine; Windows.
  for (const char* name : {"lo", "Loopback Pseudo-Interface 1"}) {
    const auto addresses = lookup->InterfaceAddresses(name);
    if (!addresses.ok()) continue;
    found = true;
    EXPECT_THAT(addresses.value().addresses, Contains(Loopback()));
  }
  EXPECT_TRUE(found);
}

TEST(AddressLookupTest, SaysThatAnInterfaceIsMissing) {
  const auto lookup = CreateAddressLookup();
  for (const char* name : {"no such adapter", "L\xc3\xa4ngst weg", ""}) {
    const auto addresses = lookup->InterfaceAddresses(name);
    ASSERT_FALSE(addresses.ok());
    EXPECT_EQ(addresses.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(addresses.error().message, std::string("reading interface ") +
                                             name +
                                             ": no interface has this name");
  }
}

}  // namespace
}  // namespace echo_exporter
