#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/app/exporter_fixture.h"
#include "tests/support/failing_memory.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

class ExporterMemoryTest : public ExporterFixture {
 protected:
  ExporterMemoryTest() {
    lookup_.Set("a.example.net", {Address("192.0.2.8")});
    lookup_.Set("b.example.net", {Address("192.0.2.9")});
  }

  static ConfigOutcome Parsed(const std::string& toml) {
    ConfigOutcome outcome = ParseConfig(toml, "test.toml");
    outcome.config->listen_addresses = {{"127.0.0.1", 0}};
    return outcome;
  }

  /// The labels of all pairs.
  static std::set<std::string> PairsOf(const Samples& samples) {
    const std::string kRequests = "icmp_echo_requests_total";
    std::set<std::string> pairs;
    for (const auto& [series, value] : samples) {
      if (series.starts_with(kRequests)) {
        pairs.insert(series.substr(kRequests.size()));
      }
    }
    return pairs;
  }

  /// Checks what pairs of modules have counted.
  void AskForContinuousPairs() {
    for (const char* const query :
         {"module=lan&target=192.0.2.21", "module=wan&target=a.example.net",
          "module=wan&target=198.51.100.1&source=192.0.2.200"}) {
      const auto answer = Get(std::string("/probe?") + query);
      ASSERT_TRUE(answer);
      ASSERT_EQ(answer->status, 200);
      CheckAnswer(ParseSamples(answer->body));
    }
  }

  static void CheckAnswer(const Samples& samples) {
    double ended = 0;
    for (const auto& [series, value] : samples) {
      if (series.starts_with("icmp_echo_outcomes_total")) ended += value;
    }
    EXPECT_EQ(samples.at("icmp_echo_requests_total"),
              ended + samples.at("icmp_echo_in_flight"));
  }

  void ExpectProbesTo(const std::vector<std::string>& addresses) {
    for (const std::string& address : addresses) {
      const std::size_t so_far = network_.SentTo(Address(address)).size();
      network_.WaitForSentTo(Address(address), so_far + 2);
    }
  }

  Exporter::ReloadReport Reload(const ConfigOutcome& outcome) {
    loaded_ = outcome;
    return exporter_->Reload();
  }

  void ReloadWithLittleMemory(std::uint64_t failing);

  static constexpr const char* kOld = R"(
[modules.lan]
mode = "continuous"
interval = "10ms"
[modules.wan]
mode = "continuous"
interval = "10ms"
[probe]
allowed_targets = ["192.0.2.0/24", "198.51.100.0/24"]
[[group]]
name = "g"
destinations = ["192.0.2.1", "192.0.2.2", "a.example.net"]
interval = "10ms"
[[group]]
name = "h"
destinations = ["192.0.2.3"]
interval = "10ms"
)";
  // Pairs that come, go, and get other labels, settings and intervals; names
  // that come and go; the same of modules.
  static constexpr const char* kNew = R"(
[modules.lan]
mode = "continuous"
interval = "11ms"
[modules.wan]
mode = "continuous"
interval = "10ms"
payload_size = 8
[probe]
allowed_targets = ["192.0.2.0/24"]
[[group]]
name = "g"
destinations = ["192.0.2.2", "192.0.2.4", "b.example.net"]
interval = "10ms"
payload_size = 8
labels = { site = "fra" }
[[group]]
name = "h"
destinations = ["192.0.2.3", "192.0.2.5"]
interval = "11ms"
)";

  ConfigOutcome loaded_;
};

void ExporterMemoryTest::ReloadWithLittleMemory(std::uint64_t failing) {
  const ConfigOutcome old_config = Parsed(kOld);
  const ConfigOutcome new_config = Parsed(kNew);
  load_config_ = [this] { return loaded_; };
  Start(kOld);
  ExpectProbesTo({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.8"});
  const std::set<std::string> old_pairs = PairsOf(Scrape());
  ASSERT_EQ(old_pairs.size(), 4U);
  AskForContinuousPairs();

  std::uint64_t failed = 0;
  std::uint64_t succeeding = 0;
  // What threads do to each other is seen after a part of them.
  constexpr std::uint64_t kStep = kThreadSanitizer ? 5 : 1;
  for (bool all_memory = false; !all_memory; succeeding += kStep) {
    ASSERT_LT(succeeding, 10'000U);
    loaded_ = new_config;
    Exporter::ReloadReport report;
    {
      const FailingMemory memory(FailingMemory::Threads::kThis, succeeding,
                                 failing);
      report = exporter_->Reload();
      all_memory = memory.failures() == 0;
    }
    SCOPED_TRACE(succeeding);
    Samples samples = Scrape();
    CheckAccounts(samples);
    EXPECT_EQ(Value(samples, "echo_exporter_config_last_reload_successful"),
              report.successful ? 1 : 0);
    if (report.successful) {
      EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 5);
      EXPECT_EQ(Value(samples, "echo_exporter_continuous_pairs"), 2);
      ASSERT_TRUE(Reload(old_config).successful);
      AskForContinuousPairs();
      samples = Scrape();
    } else {
      ++failed;
    }
    EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 4);
    EXPECT_EQ(Value(samples, "echo_exporter_continuous_pairs"), 3);
    ASSERT_EQ(PairsOf(samples), old_pairs);
    ExpectProbesTo({"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.8",
                    "192.0.2.21", "198.51.100.1"});
    if (HasFailure()) return;
  }
  EXPECT_GT(failed * kStep, 50U);

  EXPECT_TRUE(Reload(new_config).successful);
  ExpectProbesTo(
      {"192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.9"});
  CheckAccounts(Scrape());
}

TEST_F(ExporterMemoryTest, ReloadsWhollyOrNotAtAllWhenAnAllocationFails) {
  ReloadWithLittleMemory(1);
}

TEST_F(ExporterMemoryTest, ReloadsWhollyOrNotAtAllWhenAllFurtherOnesFail) {
  ReloadWithLittleMemory(FailingMemory::kAllOfThem);
}

TEST_F(ExporterMemoryTest, OutlivesAMomentWithoutMemory) {
  const ConfigOutcome old_config = Parsed(kFastPair);
  load_config_ = [this] { return loaded_; };
  Start(kFastPair);
  ExpectProbesTo({"192.0.2.1"});
  loaded_ = Parsed(kOld);
  {
    const FailingMemory memory(FailingMemory::Threads::kAll, 0,
                               FailingMemory::kAllOfThem);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(exporter_->Reload().successful);
  }
  ExpectProbesTo({"192.0.2.1"});
  EXPECT_TRUE(Reload(Parsed(kNew)).successful);
  ExpectProbesTo({"192.0.2.2", "192.0.2.5"});
  const Samples samples = Scrape();
  CheckAccounts(samples);
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 5);
}

}  // namespace
}  // namespace echo_exporter
