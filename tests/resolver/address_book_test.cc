#include "echo_exporter/address_book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_address_lookup.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Addresses = std::vector<IpAddress>;

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

class AddressBookTest : public testing::Test {
 protected:
  // Nothing is due again unless a test asks for it.
  static AddressBook::Options Rarely() {
    return {.interface_refresh = hours(1), .retry = hours(1), .threads = 2};
  }
  static AddressBook::Options Often() {
    return {.interface_refresh = milliseconds(1),
            .retry = milliseconds(1),
            .threads = 2};
  }

  FakeAddressLookup lookup_;
};

TEST_F(AddressBookTest, ResolvesANameInTheBackground) {
  lookup_.Set("a", {Ip("192.0.2.1"), Ip("2001:db8::1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a), (Addresses{Ip("192.0.2.1"), Ip("2001:db8::1")}));
}

TEST_F(AddressBookTest, HasNoAddressesBeforeTheFirstAnswer) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  lookup_.Block("a");
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForCalls("a", 1);
  EXPECT_EQ(book.Addresses(a), Addresses());
  EXPECT_EQ(book.generation(), 1U);
  lookup_.Release("a");
}

TEST_F(AddressBookTest, FollowsAChangedAnswer) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  const auto before = book.generation();
  lookup_.Set("a", {Ip("192.0.2.2")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a), Addresses{Ip("192.0.2.2")});
  EXPECT_GT(book.generation(), before);
}

TEST_F(AddressBookTest, KeepsTheGenerationWhileNothingChanges) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  book.WatchName("a", milliseconds(1));
  lookup_.WaitForRefresh("a");
  const auto before = book.generation();
  lookup_.WaitForRefresh("a");
  lookup_.Fail("a");
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.generation(), before);
}

TEST_F(AddressBookTest, KeepsTheLastGoodAddressesOfAName) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  lookup_.Fail("a");
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a), Addresses{Ip("192.0.2.1")});
}

TEST_F(AddressBookTest, DropsTheAddressesOfAVanishedInterface) {
  lookup_.Set("Ethernet 2", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto entry = book.WatchInterface("Ethernet 2").entry;
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(book.Addresses(entry), Addresses{Ip("192.0.2.1")});
  lookup_.Fail("Ethernet 2");
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(book.Addresses(entry), Addresses());
  lookup_.Set("Ethernet 2", {Ip("192.0.2.9")});
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(book.Addresses(entry), Addresses{Ip("192.0.2.9")});
}

TEST_F(AddressBookTest, RetriesAFailedNameSoonerThanItsRefresh) {
  lookup_.Fail("a");
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", hours(1)).entry;
  lookup_.WaitForCalls("a", 3);
  lookup_.Set("a", {Ip("192.0.2.1")});
  while (book.Addresses(a).empty()) std::this_thread::yield();
}

TEST_F(AddressBookTest, ReportsEveryFailedLookup) {
  std::atomic<int> failures = 0;
  std::string name;
  std::string message;
  {
    AddressBook book(lookup_, Rarely(),
                     [&](const std::string& failed, const Error& error) {
                       name = failed;
                       message = error.message;
                       ++failures;
                     });
    lookup_.Fail("a", "server failed (2)");
    book.WatchName("a", hours(1));
    while (failures == 0) std::this_thread::yield();
  }
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(name, "a");
  EXPECT_EQ(message, "resolving a: server failed (2)");
}

TEST_F(AddressBookTest, KeepsTheOrderWhenANameServerRotatesItsAnswer) {
  lookup_.Set("a", {Ip("192.0.2.1"), Ip("192.0.2.2"), Ip("192.0.2.3")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  const auto before = book.generation();
  lookup_.Set("a", {Ip("192.0.2.2"), Ip("192.0.2.3"), Ip("192.0.2.1")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a).front(), Ip("192.0.2.1"));
  EXPECT_EQ(book.generation(), before);
}

TEST_F(AddressBookTest, TakesTheNewOrderWhenTheIpVersionPreferredChanges) {
  lookup_.Set("a", {Ip("2001:db8::1"), Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  lookup_.Set("a", {Ip("192.0.2.1"), Ip("2001:db8::1")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a).front(), Ip("192.0.2.1"));
}

TEST_F(AddressBookTest, GivesTheSameNameOneEntry) {
  AddressBook book(lookup_, Rarely(), nullptr);
  const auto a = book.WatchName("a", hours(1)).entry;
  EXPECT_EQ(book.WatchName("a", hours(2)).entry, a);
  EXPECT_NE(book.WatchName("b", hours(1)).entry, a);
  EXPECT_NE(book.WatchInterface("a").entry, a);
}

TEST_F(AddressBookTest, RefreshesAsOftenAsTheMostEagerAsks) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Rarely(), nullptr);
  const auto a = book.WatchName("a", hours(1)).entry;
  while (book.Addresses(a).empty()) std::this_thread::yield();
  book.WatchName("a", milliseconds(1));
  book.WatchName("a", hours(2));
  lookup_.WaitForCalls("a", 5);
}

TEST_F(AddressBookTest, ForgetsWhatNobodyWatchesAnyMore) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Rarely(), nullptr);
  const auto first = book.WatchName("a", hours(1));
  const auto second = book.WatchName("a", hours(2));
  while (book.Addresses(first.entry).empty()) std::this_thread::yield();
  book.Unwatch(first);
  EXPECT_FALSE(book.Addresses(second.entry).empty());
  book.Unwatch(second);
  EXPECT_TRUE(book.Addresses(second.entry).empty());
  // Looked up at once when it is wanted again, by another number.
  const int calls = lookup_.calls("a");
  EXPECT_NE(book.WatchName("a", hours(1)).entry, first.entry);
  lookup_.WaitForCalls("a", calls + 1);
}

TEST_F(AddressBookTest, AsksForANameOnceAtATimeHoweverOftenItIsWatched) {
  AddressBook::Options options = Often();
  options.threads = 3;
  lookup_.Set("a", {Ip("192.0.2.1")});
  lookup_.Set("b", {Ip("192.0.2.2")});
  AddressBook book(lookup_, options, nullptr);
  const auto a = book.WatchName("a", milliseconds(10)).entry;
  while (book.Addresses(a).empty()) std::this_thread::yield();
  lookup_.Block("a");
  book.WatchName("a", milliseconds(1));
  // Refreshed for longer than the 10 ms after which "a" was due at first.
  book.WatchName("b", milliseconds(1));
  lookup_.WaitForCalls("b", 30);
  EXPECT_EQ(lookup_.most_at_once("a"), 1);
  lookup_.Release("a");
}

TEST_F(AddressBookTest, ResolvesTheRestWhileOneNameIsStuck) {
  lookup_.Block("stuck");
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  book.WatchName("stuck", milliseconds(1));
  lookup_.WaitForCalls("stuck", 1);
  book.WatchName("a", milliseconds(1));
  lookup_.WaitForCalls("a", 5);
  EXPECT_EQ(lookup_.calls("stuck"), 1);
  lookup_.Release("stuck");
}

TEST_F(AddressBookTest, ResolvesThousandsOfNamesOnceEach) {
  constexpr int kNames = 3000;
  std::vector<AddressBook::EntryId> entries;
  AddressBook book(lookup_, Rarely(), nullptr);
  for (int i = 0; i < kNames; ++i) {
    const std::string name = "host" + std::to_string(i);
    lookup_.Set(name, {Ip("192.0.2.1")});
    entries.push_back(book.WatchName(name, hours(1)).entry);
  }
  for (int i = 0; i < kNames; ++i) {
    while (book.Addresses(entries[static_cast<std::size_t>(i)]).empty()) {
      std::this_thread::yield();
    }
    EXPECT_EQ(lookup_.calls("host" + std::to_string(i)), 1);
  }
  EXPECT_EQ(book.generation(), 1U + kNames);
}

TEST_F(AddressBookTest, DestroysCleanlyWithALookupUnderWay) {
  lookup_.Block("stuck");
  std::atomic<bool> destroying = false;
  std::thread releaser([&] {
    while (!destroying) std::this_thread::yield();
    lookup_.Release("stuck");
  });
  {
    AddressBook book(lookup_, Rarely(), nullptr);
    book.WatchName("stuck", hours(1));
    lookup_.WaitForCalls("stuck", 1);
    destroying = true;
  }
  releaser.join();
  EXPECT_EQ(lookup_.calls("stuck"), 1);
}

}  // namespace
}  // namespace echo_exporter
