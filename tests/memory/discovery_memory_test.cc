#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "echo_exporter/discovery.h"
#include "tests/support/failing_memory.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

TEST(DiscoveryMemoryTest, APlanThatLacksMemoryIsMadeTheNextTime) {
  TemporaryFolder folder;
  folder.Write("a.json", R"([{"targets": ["192.0.2.1", "a.example"],
      "labels": {"rack": "a label that needs memory of its own", "b": "c"}},
      {"targets": ["192.0.2.2"], "labels": {"__echo_interval__": "5s"}}])");
  folder.Write("b.json", R"([{"targets": ["192.0.2.3", "bad:1"]}])");
  auto config = std::make_shared<ExporterConfig>();
  GroupConfig& group = config->groups.emplace_back();
  group.name = "g";
  group.sources = {SourceConfig()};
  group.exclude_self = true;
  // Without a pattern: libstdc++ cannot list a folder without memory.
  group.file_sd.push_back(
      {.files = {folder.Path("a.json"), folder.Path("b.json")}});
  FakeAddressLookup lookup;
  lookup.Set("a.example", {Address("192.0.2.9")});
  ProbeRecorder recorder({.rtt_buckets = {0.1}}, Clock::System());
  AddressBook book(lookup, AddressBook::Options(), {});
  std::uint64_t succeeding = 0;
  for (std::uint64_t failures = 1; failures > 0; ++succeeding) {
    const auto discovery = Discovery::Create({.lookup = &lookup,
                                              .book = &book,
                                              .recorder = &recorder,
                                              .hostname = "me",
                                              .fetch = {}},
                                             folder.Path("state"), [] {});
    {
      const FailingMemory memory(FailingMemory::Threads::kThis, succeeding, 1);
      try {
        if (discovery->Plan(config).ok()) discovery->Commit();
      } catch (const std::bad_alloc&) {
        // Or it was without consequence.
      }
      failures = memory.failures();
    }
    const auto effective = discovery->Plan(config);
    ASSERT_TRUE(effective.ok()) << succeeding;
    EXPECT_EQ(effective.value()->pairs.size(), 4U) << succeeding;
    discovery->Commit();
  }
  EXPECT_GT(succeeding, 100U);
}

}  // namespace
}  // namespace echo_exporter
