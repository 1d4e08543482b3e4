#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/app/exporter_fixture.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

class ExporterDiscoveryTest : public ExporterFixture {
 protected:
  /// A group whose targets are in a.json.
  std::string FileGroup(const std::string& more = "") const {
    return "[[group]]\nname = \"g\"\ninterval = \"10ms\"\n" + more +
           "[[group.file_sd]]\nfiles = ['" + folder_.Path("a.json") + "']\n";
  }

  static std::string AddressOf(const std::string& name,
                               const std::string& address) {
    return "icmp_echo_" + name +
           "{group=\"g\",source=\"auto\",destination=\"pods\",address=\"" +
           address + "\"}";
  }

  TemporaryFolder folder_;
};

TEST_F(ExporterDiscoveryTest, ProbesTheTargetsOfLists) {
  folder_.Write("a.json",
                R"([{"targets": ["192.0.2.1"], "labels": {"rack": "7"}}])");
  Start(FileGroup());
  const std::string series =
      "icmp_echo_requests_total{group=\"g\",source=\"auto\",destination=\"192."
      "0.2.1\",rack=\"7\"}";
  WaitForSample(series, 3);
  const Samples samples = Scrape();
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 1);
  EXPECT_EQ(
      Value(samples,
            "echo_exporter_sd_targets{group=\"g\",mechanism=\"file_sd\"}"),
      1);
  CheckAccounts(samples);
  EXPECT_THAT(Get("/config")->body, HasSubstr("a.json"));
  EXPECT_THAT(Get("/config")->body, Not(HasSubstr("192.0.2.1")));
  EXPECT_EQ(Get("/metrics?group=g")->status, 200);
}

TEST_F(ExporterDiscoveryTest, ProbeMayAskForTargetsOfLists) {
  folder_.Write("a.json", R"([{"targets": ["192.0.2.1"]}])");
  Start(FileGroup() + "[probe]\nallow_destinations = true\n");
  EXPECT_EQ(Get("/probe?target=192.0.2.1")->status, 200);
  EXPECT_EQ(Get("/probe?target=192.0.2.2")->status, 403);
}

TEST_F(ExporterDiscoveryTest, AChangeTouchesOnlyWhatChanges) {
  lookup_.Set("pods", {Address("192.0.2.1"), Address("192.0.2.2")});
  Start(R"(
[[group]]
name = "g"
interval = "10ms"
dns_refresh = "1s"
addresses = "all"
destinations = ["pods"]
)");
  WaitForSample(AddressOf("requests_total", "192.0.2.2"), 20);
  const double before =
      Value(Scrape(), AddressOf("requests_total", "192.0.2.2")).value();
  lookup_.Set("pods", {Address("192.0.2.3"), Address("192.0.2.2")});
  WaitForSample(AddressOf("requests_total", "192.0.2.3"), 3);
  const Samples samples = Scrape();
  EXPECT_GT(Value(samples, AddressOf("requests_total", "192.0.2.2")), before);
  EXPECT_FALSE(Value(samples, AddressOf("requests_total", "192.0.2.1")));
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 2);
  CheckAccounts(samples);
}

TEST_F(ExporterDiscoveryTest, AReloadThatLeadsToTooManyPairsChangesNothing) {
  folder_.Write("a.json", R"([{"targets": ["192.0.2.1", "192.0.2.2"]}])");
  load_config_ = [this] {
    return ParseConfig("[discovery]\nmax_pairs = 1\n" + FileGroup(), "t.toml");
  };
  Start(FileGroup());
  WaitForSample("echo_exporter_pairs", 2);
  const auto report = exporter_->Reload();
  EXPECT_FALSE(report.successful);
  EXPECT_THAT(report.errors,
              testing::ElementsAre(HasSubstr("more than 1 pairs")));
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 2);
}

TEST_F(ExporterDiscoveryTest, AChangedFileMayHaveItsPairsInLists) {
  Start(kOnePair);
  folder_.Write("a.json", R"([{"targets": ["192.0.2.9"]}])");
  const auto report =
      exporter_->ReloadChanged(ParseConfig(FileGroup(), "t.toml"));
  EXPECT_TRUE(report.successful);
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 1);
}

}  // namespace
}  // namespace echo_exporter
