#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <utility>

#include "tests/engine/dispatcher_fixture.h"
#include "tests/support/failing_memory.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DispatcherMemoryTest : public DispatcherFixture {
 protected:
  static DispatchedPair PairTo(PairId id, const std::string& address,
                               const EchoSettings& echo = {}) {
    return PairOf(id, {}, {.address = Address(address), .entry = {}}, echo);
  }

  /// False when the memory did not suffice.
  bool Apply(DispatchChange change, std::uint64_t succeeding,
             std::uint64_t failing) {
    const FailingMemory memory(FailingMemory::Threads::kAll, succeeding,
                               failing);
    try {
      rig_.dispatcher.Apply(std::move(change));
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void ApplyWithLittleMemory(std::uint64_t failing);
};

void DispatcherMemoryTest::ApplyWithLittleMemory(std::uint64_t failing) {
  AddPairs({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}, seconds(1));
  for (const char* const address : {"192.0.2.5", "192.0.2.6"}) {
    NewPair(address);
  }
  Start();
  // Two are new, two get another interval, one other settings, one goes.
  const DispatchChange change{
      .scheduled = {{seconds(2), {PairTo(4, "192.0.2.5")}},
                    {milliseconds(250),
                     {PairTo(1, "192.0.2.2"), PairTo(2, "192.0.2.3"),
                      PairTo(5, "192.0.2.6")}}},
      .updated = {PairTo(0, "192.0.2.1", {.ttl = 7})},
      .removed = {3}};
  Step(seconds(1));
  std::uint64_t succeeding = 0;
  while (!Apply(change, succeeding, failing)) {
    ++succeeding;
    ASSERT_LT(succeeding, 1000U);
    const std::size_t before = rig_.network.sent().size();
    Step(seconds(1));
    std::vector<std::string> sent;
    const auto all = rig_.network.sent();
    for (std::size_t i = before; i < all.size(); ++i) {
      const std::string to = all[i].request.destination.ToString();
      EXPECT_EQ(all[i].request.ttl, 128);
      if (all[i].request.destination != kMarker) sent.push_back(to);
    }
    ASSERT_THAT(sent, testing::UnorderedElementsAre("192.0.2.1", "192.0.2.2",
                                                    "192.0.2.3", "192.0.2.4"))
        << succeeding;
  }
  EXPECT_GT(succeeding, 5U);
  const std::size_t removed = TimesOf("192.0.2.4").size();
  const std::size_t faster = TimesOf("192.0.2.3").size();
  for (int i = 0; i < 8; ++i) Step(milliseconds(250));
  EXPECT_EQ(RequestsTo("192.0.2.1").back().ttl, 7);
  EXPECT_EQ(TimesOf("192.0.2.4").size(), removed);
  EXPECT_GE(TimesOf("192.0.2.3").size(), faster + 7);
  EXPECT_GE(TimesOf("192.0.2.5").size(), 1U);
  EXPECT_GE(TimesOf("192.0.2.6").size(), 7U);
  EXPECT_EQ(Missed("late"), 0);
}

TEST_F(DispatcherMemoryTest, AppliesAChangeWhollyWhenAnAllocationFails) {
  ApplyWithLittleMemory(1);
}

TEST_F(DispatcherMemoryTest, AppliesAChangeWhollyWhenAllFurtherOnesFail) {
  ApplyWithLittleMemory(FailingMemory::kAllOfThem);
}

}  // namespace
}  // namespace echo_exporter
