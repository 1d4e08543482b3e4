#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>

#include "src/probe/continuous_pairs.h"
#include "tests/engine/dispatcher_rig.h"
#include "tests/support/failing_memory.h"

namespace echo_exporter {
namespace {

class ContinuousMemoryTest : public testing::Test {
 protected:
  ContinuousMemoryTest() {
    rig_.lookup.Set("a.example.net", {Address("192.0.2.1")});
    query_.target = target_.name;
    query_.module = "lan";
    module_.keep = Nanoseconds(0);
    module_.mode = ModuleConfig::Mode::kContinuous;
    module_.source = {.name = "wan",
                      .kind = SourceConfig::Kind::kInterface,
                      .address = {},
                      .interface_name = "Ethernet 2"};
    rig_.dispatcher.Start();
  }

  /// Whether it was answered; throws std::bad_alloc.
  bool Ask() {
    return pairs_.Probe(query_, config_.Get(), module_, target_).has_value();
  }
  double PairCount() const {
    return rig_.Sample("echo_exporter_continuous_pairs").value_or(-1);
  }

  DispatcherRig rig_{Clock::System()};
  SharedConfig config_{ExporterConfig()};
  ContinuousPairs pairs_{config_, Clock::System(), rig_.book, rig_.recorder,
                         rig_.dispatcher};
  ModuleConfig module_;
  ProbeQuery query_;
  ProbeTarget target_{.address = std::nullopt, .name = "a.example.net"};
};

TEST_F(ContinuousMemoryTest, APairBeginsAndEndsWhollyOrNotAtAll) {
  std::uint64_t failed = 0;
  std::uint64_t succeeding = 0;
  for (bool all_memory = false; !all_memory; ++succeeding) {
    SCOPED_TRACE(succeeding);
    try {
      const FailingMemory memory(FailingMemory::Threads::kThis, succeeding, 1);
      EXPECT_TRUE(Ask());
      all_memory = memory.failures() == 0;
    } catch (const std::bad_alloc&) {
      ++failed;
    }
    // There is memory again. A pair that was begun but not shown is there.
    EXPECT_TRUE(Ask());
    EXPECT_EQ(PairCount(), 1);
    pairs_.EndUnasked();
    EXPECT_EQ(PairCount(), 0);
    if (HasFailure()) return;
  }
  EXPECT_GT(failed, 20U);
}

TEST_F(ContinuousMemoryTest, WhatCannotEndYetEndsTheNextTime) {
  for (std::uint64_t succeeding = 0;; ++succeeding) {
    ASSERT_TRUE(Ask());
    bool ended = false;
    try {
      const FailingMemory memory(FailingMemory::Threads::kAll, succeeding, 1);
      pairs_.EndUnasked();
      ended = true;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(PairCount(), 1);
      pairs_.EndUnasked();
    }
    EXPECT_EQ(PairCount(), 0);
    if (ended && succeeding > 0) return;
  }
}

}  // namespace
}  // namespace echo_exporter
