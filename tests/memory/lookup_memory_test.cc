#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "echo_exporter/address_book.h"
#include "src/probe/deadline_lookup.h"
#include "src/resolver/lookup_schedule.h"
#include "tests/support/failing_memory.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using End = LookupSchedule::End;
using Threads = FailingMemory::Threads;

TEST(LookupMemoryTest, AScheduledLookupNeedsNoMemory) {
  constexpr LookupSchedule::Key kNames = 20;
  LookupSchedule schedule({});
  SteadyTime now(hours(1));
  for (LookupSchedule::Key key = 0; key < kNames; ++key) {
    schedule.Add(key, seconds(60), now);
  }
  std::size_t begun = 0;
  std::uint64_t failures = 0;
  {
    const FailingMemory memory(Threads::kThis, 0, FailingMemory::kAllOfThem);
    while (schedule.Take(now)) ++begun;
    now += seconds(10);
    schedule.Take(now);
    schedule.Remove(0);
    for (LookupSchedule::Key key = 0; key < kNames; ++key) {
      schedule.Finish(key, key % 2 == 0 ? End::kNoAnswer : End::kAnswer, now);
    }
    schedule.SetRefresh(1, seconds(1), now);
    schedule.Remove(2);
    now += seconds(60);
    while (schedule.Take(now)) ++begun;
    failures = memory.failures();
  }
  EXPECT_EQ(begun, kNames + kNames - 2);
  EXPECT_EQ(failures, 0U);
}

TEST(LookupMemoryTest, EveryNameIsLookedUpAgainAfterAWantOfMemory) {
  FakeAddressLookup lookup;
  AddressBook book(
      lookup, {.interface_refresh = milliseconds(1), .retry = milliseconds(1)},
      nullptr);
  std::vector<std::string> names;
  std::vector<AddressBook::EntryId> entries;
  for (int i = 0; i < 20; ++i) {
    names.push_back("name" + std::to_string(i));
    lookup.Set(names.back(), {Address("192.0.2.1")});
    entries.push_back(book.WatchName(names.back(), milliseconds(1)).entry);
    lookup.WaitForRefresh(names.back());
  }
  {
    const FailingMemory memory(Threads::kAll, 0, 2000);
    while (memory.failures() < 2000) std::this_thread::yield();
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    lookup.Set(names[i], {Address("192.0.2.2")});
    lookup.WaitForRefresh(names[i]);
    EXPECT_EQ(book.Addresses(entries[i]),
              std::vector<IpAddress>{Address("192.0.2.2")});
  }
}

TEST(LookupMemoryTest, AWatchThatFailsWatchesNothing) {
  FakeAddressLookup lookup;
  lookup.Set("a", {Address("192.0.2.1")});
  AddressBook book(lookup, {.interface_refresh = hours(1), .retry = hours(1)},
                   nullptr);
  bool watched = false;
  AddressBook::Watch watch;
  for (std::uint64_t succeeding = 0; !watched; ++succeeding) {
    ASSERT_EQ(lookup.calls("a"), 0);
    const FailingMemory memory(Threads::kThis, succeeding, 1);
    try {
      watch = book.WatchName("a", hours(1));
      watched = true;
    } catch (const std::bad_alloc&) {
      // The next time, one allocation more succeeds.
    }
  }
  lookup.WaitForCalls("a", 1);
  book.Unwatch(watch);
  EXPECT_TRUE(book.Addresses(watch.entry).empty());
}

TEST(LookupMemoryTest, ALookupOfAProbeThatFailsLeavesNothingBehind) {
  FakeAddressLookup system;
  system.Set("a", {Address("192.0.2.1")});
  DeadlineLookup lookup(system);
  const SteadyTime deadline = Clock::System().Now() + seconds(300);
  bool found = false;
  for (std::uint64_t succeeding = 0; !found; ++succeeding) {
    {
      const FailingMemory memory(Threads::kThis, succeeding, 1);
      try {
        found = lookup.ResolveName("a", deadline).ok();
      } catch (const std::bad_alloc&) {
        // The next time, one allocation more succeeds.
      }
    }
    ASSERT_TRUE(lookup.ResolveName("a", deadline).ok()) << succeeding;
  }
}

}  // namespace
}  // namespace echo_exporter
