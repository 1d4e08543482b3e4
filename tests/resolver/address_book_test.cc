#include "echo_exporter/address_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "src/base/mutex.h"
#include "tests/support/fake_address_lookup.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using Addresses = std::vector<IpAddress>;

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

class AddressBookTest : public testing::Test {
 protected:
  // Nothing is due again unless a test asks for it.
  static AddressBook::Options Rarely() {
    return {.interface_refresh = hours(1), .retry = hours(1)};
  }
  static AddressBook::Options Often() {
    return {.interface_refresh = milliseconds(1), .retry = milliseconds(1)};
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

TEST_F(AddressBookTest, LooksUpAgainWhatThereWasNoMemoryFor) {
  lookup_.Set("a", {Ip("192.0.2.1")});
  lookup_.RunOutOfMemory("a", 1);
  Mutex mutex;
  std::vector<std::string> reports;
  AddressBook book(lookup_, Often(), [&](const AddressBook::Report& report) {
    const MutexLock lock(mutex);
    reports.push_back(report.name + ": " +
                      (report.error ? report.error->message : "found"));
  });
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForCalls("a", 3);
  EXPECT_EQ(book.Addresses(a), Addresses{Ip("192.0.2.1")});
  const MutexLock lock(mutex);
  EXPECT_THAT(reports, ElementsAre("a: no thread or no memory for the lookup",
                                   "a: found"));
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

/// What a book reports: "name: message" of each failure, "name ok" of its end,
/// "name gone" when it is not watched any more.
///
/// Thread-safe.
class FailureLog {
 public:
  AddressBook::FailureCallback Callback() {
    return [this](const AddressBook::Report& report) {
      const MutexLock lock(mutex_);
      lines_.push_back(report.name + (!report.watched ? " gone"
                                      : report.error
                                          ? ": " + report.error->message
                                          : " ok"));
      stale_ = report.stale;
      changed_.NotifyAll();
    };
  }
  /// Waits until so many lookups are stale.
  void WaitForStale(std::size_t count) {
    const MutexLock lock(mutex_);
    while (stale_ != count) changed_.Wait(mutex_);
  }
  std::size_t stale() {
    const MutexLock lock(mutex_);
    return stale_;
  }
  /// Waits for that many and returns them.
  std::vector<std::string> WaitFor(std::size_t count) {
    const MutexLock lock(mutex_);
    while (lines_.size() < count) changed_.Wait(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> lines_ GUARDED_BY(mutex_);
  std::size_t stale_ GUARDED_BY(mutex_) = 0;
};

TEST_F(AddressBookTest, TellsHowManyEarlierAddressesStayInUse) {
  FailureLog log;
  lookup_.Fail("never");
  lookup_.Set("later", {Ip("192.0.2.1")});
  lookup_.Set("Ethernet 2", {Ip("192.0.2.9")});
  AddressBook book(lookup_, Often(), log.Callback());
  book.WatchName("never", milliseconds(1));
  const auto later = book.WatchName("later", milliseconds(1));
  book.WatchInterface("Ethernet 2");
  lookup_.WaitForRefresh("later");
  lookup_.WaitForRefresh("Ethernet 2");
  log.WaitFor(1);
  EXPECT_EQ(log.stale(), 0U) << "what never resolved is not stale";
  lookup_.Fail("later");
  log.WaitForStale(1);
  // Its pairs have the outcome bad_source.
  lookup_.Fail("Ethernet 2");
  lookup_.WaitForRefresh("Ethernet 2");
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(log.stale(), 1U);
  lookup_.Set("later", {Ip("192.0.2.1")});
  log.WaitForStale(0);
  lookup_.Fail("later");
  log.WaitForStale(1);
  book.Unwatch(later);
  log.WaitForStale(0);
}

TEST_F(AddressBookTest, ReportsEveryFailedLookupAndTheEndOfFailure) {
  FailureLog log;
  lookup_.Fail("a", "server failed (2)");
  AddressBook book(lookup_, Often(), log.Callback());
  book.WatchName("a", milliseconds(1));
  EXPECT_EQ(log.WaitFor(2)[1], "a: resolving a: server failed (2)");
  lookup_.Set("a", {Ip("192.0.2.1")});
  lookup_.WaitForRefresh("a");
  lookup_.WaitForRefresh("a");
  const auto lines = log.WaitFor(3);
  EXPECT_EQ(lines.back(), "a ok");
  EXPECT_EQ(std::ranges::count(lines, "a ok"), 1);
}

TEST_F(AddressBookTest, AFailureEndsWithTheLastWatch) {
  FailureLog log;
  lookup_.Fail("a", "server failed (2)");
  AddressBook book(lookup_, Rarely(), log.Callback());
  const auto a = book.WatchName("a", hours(1));
  log.WaitFor(1);
  book.Unwatch(a);
  EXPECT_THAT(
      log.WaitFor(2),
      testing::ElementsAre("a: resolving a: server failed (2)", "a gone"));
}

TEST_F(AddressBookTest, RefusesAddressesThatNoHostHas) {
  FailureLog log;
  lookup_.Set("none", {Ip("0.0.0.0"), Ip("::")});
  lookup_.Set("part", {Ip("ff02::1"), Ip("255.255.255.255"), Ip("192.0.2.1")});
  AddressBook book(lookup_, Rarely(), log.Callback());
  const auto none = book.WatchName("none", hours(1)).entry;
  const auto part = book.WatchName("part", hours(1)).entry;
  EXPECT_THAT(
      log.WaitFor(2),
      testing::UnorderedElementsAre(
          "none: resolving none: 0.0.0.0, ::: not an address that a host can "
          "have",
          "part: resolving part: ff02::1, 255.255.255.255: not an address that "
          "a host can have"));
  EXPECT_EQ(book.Addresses(none), Addresses());
  EXPECT_EQ(book.Addresses(part), Addresses{Ip("192.0.2.1")});
}

TEST_F(AddressBookTest, KeepsAnAddressWhileTheNameHasIt) {
  lookup_.Set("a", {Ip("192.0.2.1"), Ip("192.0.2.2"), Ip("192.0.2.3")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  const auto before = book.generation();
  // In turn, as name servers do to distribute load.
  lookup_.Set("a", {Ip("192.0.2.2"), Ip("192.0.2.3"), Ip("192.0.2.1")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a).front(), Ip("192.0.2.1"));
  EXPECT_EQ(book.generation(), before);
  // Another part of the addresses of a big name.
  lookup_.Set("a", {Ip("192.0.2.9"), Ip("192.0.2.1"), Ip("192.0.2.2")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a),
            (Addresses{Ip("192.0.2.1"), Ip("192.0.2.2"), Ip("192.0.2.9")}));
  lookup_.Set("a", {Ip("192.0.2.9"), Ip("192.0.2.2")});
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a).front(), Ip("192.0.2.2"));
}

TEST_F(AddressBookTest, KeepsTheAddressOfEachVersion) {
  lookup_.Set("a", {Ip("2001:db8::1"), Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  lookup_.Set("a", {Ip("192.0.2.2"), Ip("192.0.2.1"), Ip("2001:db8::2"),
                    Ip("2001:db8::1")});
  lookup_.WaitForRefresh("a");
  // The system prefers the other version now.
  EXPECT_EQ(book.Addresses(a),
            (Addresses{Ip("192.0.2.1"), Ip("192.0.2.2"), Ip("2001:db8::1"),
                       Ip("2001:db8::2")}));
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
  lookup_.Set("a", {Ip("192.0.2.1")});
  lookup_.Set("b", {Ip("192.0.2.2")});
  AddressBook book(lookup_, Often(), nullptr);
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

TEST_F(AddressBookTest, NamesThatHangHoldNothingElseUp) {
  constexpr int kDead = 80;
  for (int i = 0; i < kDead; ++i) lookup_.Block("dead" + std::to_string(i));
  lookup_.Set("Ethernet 2", {Ip("198.51.100.1")});
  lookup_.Set("a", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  for (int i = 0; i < kDead; ++i) {
    book.WatchName("dead" + std::to_string(i), milliseconds(1));
  }
  const auto adapter = book.WatchInterface("Ethernet 2").entry;
  const auto a = book.WatchName("a", milliseconds(1)).entry;
  lookup_.WaitForRefresh("a");
  EXPECT_EQ(book.Addresses(a), Addresses{Ip("192.0.2.1")});
  lookup_.WaitForRefresh("Ethernet 2");
  lookup_.Set("Ethernet 2", {Ip("198.51.100.2")});
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(book.Addresses(adapter), Addresses{Ip("198.51.100.2")});
  for (int i = 0; i < kDead; ++i) {
    EXPECT_LE(lookup_.calls("dead" + std::to_string(i)), 1);
    lookup_.Release("dead" + std::to_string(i));
  }
}

TEST_F(AddressBookTest, KeepsTheAddressesOfAnAdapterThatCannotBeRead) {
  lookup_.Set("Ethernet 2", {Ip("192.0.2.1")});
  AddressBook book(lookup_, Often(), nullptr);
  const auto entry = book.WatchInterface("Ethernet 2").entry;
  lookup_.WaitForRefresh("Ethernet 2");
  lookup_.Fail("Ethernet 2", "too many open files", ErrorCode::kExhausted);
  lookup_.WaitForRefresh("Ethernet 2");
  EXPECT_EQ(book.Addresses(entry), Addresses{Ip("192.0.2.1")});
}

TEST_F(AddressBookTest, FollowsTheZoneOfAnAdapterThatIsMadeAnew) {
  lookup_.Set("eth0", {});
  lookup_.SetInterfaceIndex("eth0", 3);
  AddressBook book(lookup_, Often(), nullptr);
  const auto destination = book.WatchZone("eth0", /*is_source=*/false).entry;
  const auto source = book.WatchZone("eth0", /*is_source=*/true).entry;
  EXPECT_NE(source, destination);
  const auto wait_for = [&](AddressBook::EntryId entry, std::uint32_t zone) {
    while (book.InterfaceIndex(entry) != zone) std::this_thread::yield();
  };
  wait_for(source, 3);
  wait_for(destination, 3);
  lookup_.Fail("eth0", "gone", ErrorCode::kNotFound);
  wait_for(source, 0);
  EXPECT_EQ(book.InterfaceIndex(destination), 3U);
  lookup_.Set("eth0", {});
  lookup_.SetInterfaceIndex("eth0", 9);
  wait_for(source, 9);
  wait_for(destination, 9);
}

TEST_F(AddressBookTest, ANameAndAnAdapterFailEachUnderAnotherName) {
  FailureLog log;
  lookup_.Fail("lan", "gone");
  AddressBook book(lookup_, Rarely(), log.Callback());
  book.WatchName("lan", hours(1));
  book.WatchInterface("lan");
  EXPECT_THAT(log.WaitFor(2), testing::UnorderedElementsAre(
                                  "lan: resolving lan: gone",
                                  "adapter lan: resolving lan: gone"));
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
