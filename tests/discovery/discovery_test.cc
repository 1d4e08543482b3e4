#include "echo_exporter/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/base/mutex.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string ListOf(const std::string& targets) {
  return "[{\"targets\": [" + targets + "]}]";
}

/// A discovery whose plans are put into effect here, as the exporter does.
class DiscoveryTest : public testing::Test {
 protected:
  DiscoveryTest() { Restart(); }

  void Restart() {
    discovery_.reset();
    discovery_ = Discovery::Create(
        Discovery::Environment{
            .lookup = &lookup_,
            .book = &book_,
            .recorder = &recorder_,
            .hostname = "me",
            .fetch = [this](const HttpGet& request) { return Fetch(request); }},
        folder_.Path("state"), [this] { Follow(); });
  }

  static GroupConfig Group(const std::string& name) {
    GroupConfig group;
    group.name = name;
    group.sources = {SourceConfig()};
    return group;
  }
  GroupConfig FileGroup(const std::string& name, const std::string& file) {
    GroupConfig group = Group(name);
    group.file_sd = {{.files = {folder_.Path(file)}}};
    return group;
  }
  static GroupConfig HttpGroup(const std::string& name,
                               const std::string& url) {
    GroupConfig group = Group(name);
    HttpDiscoveryConfig http;
    http.url = url;
    http.refresh_interval = std::chrono::seconds(5);
    group.http_sd = {http};
    return group;
  }

  /// What Exporter does at its start and at a reload; why not, or nothing.
  std::string MoveTo(const std::vector<GroupConfig>& groups,
                     std::uint32_t max_pairs = 1000) {
    auto config = std::make_shared<ExporterConfig>();
    config->groups = groups;
    config->max_pairs = max_pairs;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      for (std::uint32_t d = 0; d < groups[g].destinations.size(); ++d) {
        config->pairs.push_back({g, 0, d});
      }
    }
    const MutexLock lock(mutex_);
    file_ = config;
    return Plan();
  }

  /// The destinations in effect, with their addresses.
  std::vector<std::string> Now() {
    const MutexLock lock(mutex_);
    return DestinationsLocked();
  }

  /// Waits until the background has come to this.
  void WaitFor(const std::vector<std::string>& destinations) {
    const MutexLock lock(mutex_);
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (DestinationsLocked() != destinations) {
      ASSERT_TRUE(changed_.WaitUntil(mutex_, deadline));
    }
  }

  /// How many changes in the background there were.
  int Follows() {
    const MutexLock lock(mutex_);
    return follows_;
  }

  std::string Metrics() const {
    std::string text;
    recorder_.Render({}, {}, [&text](std::string_view piece) {
      text += piece;
      return true;
    });
    return text;
  }

  void Serve(const std::string& url, Result<HttpAnswer> answer) {
    const MutexLock lock(mutex_);
    answers_.insert_or_assign(url, std::move(answer));
  }
  void Serve(const std::string& url, const std::string& body) {
    Serve(url, HttpAnswer{.status = 200,
                          .content_type = "application/json",
                          .etag = "",
                          .body = body});
  }

 private:
  void Follow() {
    const MutexLock lock(mutex_);
    ++follows_;
    (void)Plan();
    changed_.NotifyAll();
  }

  std::string Plan() REQUIRES(mutex_) {
    const auto effective = discovery_->Plan(file_);
    if (!effective.ok()) return effective.error().message;
    discovery_->Commit();
    effective_ = effective.value();
    return "";
  }

  std::vector<std::string> DestinationsLocked() REQUIRES(mutex_) {
    std::vector<std::string> names;
    for (const PairConfig& pair : effective_->pairs) {
      const auto& destination =
          effective_->groups[pair.group].destinations[pair.destination];
      names.push_back(destination.name);
      if (destination.address &&
          destination.address->ToString() != destination.name) {
        names.back() += '@' + destination.address->ToString();
      }
    }
    return names;
  }

  Result<HttpAnswer> Fetch(const HttpGet& request) {
    const MutexLock lock(mutex_);
    const auto found = answers_.find(request.url);
    if (found != answers_.end()) return found->second;
    return Error{ErrorCode::kUnavailable, "connection refused"};
  }

 protected:
  TemporaryFolder folder_;
  FakeAddressLookup lookup_;

 private:
  Mutex mutex_;
  CondVar changed_;
  int follows_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, Result<HttpAnswer>> answers_ GUARDED_BY(mutex_);
  std::shared_ptr<const ExporterConfig> file_ GUARDED_BY(mutex_);
  std::shared_ptr<const ExporterConfig> effective_ GUARDED_BY(mutex_);

 protected:
  ProbeRecorder recorder_{{.rtt_buckets = {0.1}}, Clock::System()};
  AddressBook book_{lookup_, AddressBook::Options(), {}};
  std::unique_ptr<Discovery> discovery_;
};

TEST_F(DiscoveryTest, WithoutItTheConfigurationIsTheEffectiveOne) {
  const auto config = std::make_shared<const ExporterConfig>();
  EXPECT_EQ(discovery_->Plan(config).value(), config);
  discovery_->Commit();
  EXPECT_THAT(Metrics(), Not(HasSubstr("echo_exporter_sd_")));
}

TEST_F(DiscoveryTest, FilesAreThereAtTheStart) {
  folder_.Write("a.json", ListOf("\"a\", \"b:1\""));
  EXPECT_EQ(MoveTo({FileGroup("g", "a.json")}), "");
  EXPECT_THAT(Now(), ElementsAre("a"));
  const std::string metrics = Metrics();
  const std::string labels = "{group=\"g\",mechanism=\"file_sd\"}";
  EXPECT_THAT(metrics, HasSubstr("echo_exporter_sd_targets" + labels + " 1\n"));
  EXPECT_THAT(metrics,
              HasSubstr("echo_exporter_sd_rejected_targets" + labels + " 1\n"));
  EXPECT_THAT(metrics, HasSubstr("echo_exporter_sd_refresh_failures_total" +
                                 labels + " 0\n"));
  EXPECT_THAT(metrics,
              HasSubstr("sd_last_success_timestamp_seconds" + labels + " 1"));
  EXPECT_THAT(metrics,
              HasSubstr("sd_last_change_timestamp_seconds" + labels + " 1"));
  EXPECT_THAT(metrics, Not(HasSubstr("neighbours")));
}

TEST_F(DiscoveryTest, ServersAreAskedInTheBackground) {
  Serve("http://x/", ListOf("\"a\""));
  EXPECT_EQ(MoveTo({HttpGroup("g", "http://x/")}), "");
  EXPECT_THAT(Now(), IsEmpty());
  discovery_->Start();
  WaitFor({"a"});
  EXPECT_THAT(Metrics(), HasSubstr("echo_exporter_sd_targets{group=\"g\","
                                   "mechanism=\"http_sd\"} 1\n"));
}

TEST_F(DiscoveryTest, ChangesAreMadeOnceASecondAtMost) {
  // Each is fetched at another time within half a second.
  std::vector<GroupConfig> groups;
  std::vector<std::string> targets;
  for (int i = 0; i < 20; ++i) {
    targets.push_back("t" + std::to_string(i));
    const std::string url = "http://x/" + targets.back();
    groups.push_back(HttpGroup(targets.back(), url));
    Serve(url, ListOf('"' + targets.back() + '"'));
  }
  EXPECT_EQ(MoveTo(groups), "");
  const auto begin = std::chrono::steady_clock::now();
  discovery_->Start();
  WaitFor(targets);
  const auto lasted = std::chrono::floor<std::chrono::seconds>(
      std::chrono::steady_clock::now() - begin);
  EXPECT_LE(Follows(), lasted.count() + 2);
}

TEST_F(DiscoveryTest, ARestartWithoutTheServerGoesOn) {
  Serve("http://x/", ListOf("\"a\""));
  EXPECT_EQ(MoveTo({HttpGroup("g", "http://x/")}), "");
  discovery_->Start();
  WaitFor({"a"});
  Restart();
  Serve("http://x/", Error{ErrorCode::kUnavailable, "down"});
  EXPECT_EQ(MoveTo({HttpGroup("g", "http://x/")}), "");
  EXPECT_THAT(Now(), ElementsAre("a"));
}

TEST_F(DiscoveryTest, AReloadKeepsTheListsOfSourcesThatStay) {
  Serve("http://x/", ListOf("\"a\""));
  discovery_->Start();
  EXPECT_EQ(MoveTo({HttpGroup("g", "http://x/")}), "");
  WaitFor({"a"});
  Serve("http://x/", Error{ErrorCode::kUnavailable, "down"});
  GroupConfig changed = HttpGroup("g", "http://x/");
  changed.interval = std::chrono::seconds(7);
  folder_.Write("f.json", ListOf("\"f\""));
  EXPECT_EQ(MoveTo({changed, FileGroup("h", "f.json")}), "");
  EXPECT_THAT(Now(), ElementsAre("a", "f"));
  EXPECT_EQ(MoveTo({FileGroup("h", "f.json")}), "");
  EXPECT_THAT(Now(), ElementsAre("f"));
  EXPECT_THAT(Metrics(), Not(HasSubstr("http_sd")));
}

TEST_F(DiscoveryTest, ASourceThatAReloadChangesKeepsItsLists) {
  Serve("http://x/", ListOf("\"a\""));
  folder_.Write("b.json", ListOf("\"b\""));
  folder_.Write("c.json", ListOf("\"c\""));
  GroupConfig http = HttpGroup("g", "http://x/");
  GroupConfig files = FileGroup("h", "*.json");
  EXPECT_EQ(MoveTo({http, files}), "");
  discovery_->Start();
  WaitFor({"a", "b", "c"});
  // Neither the originals nor what is stored is of help.
  std::filesystem::remove_all(PathFromUtf8(folder_.Path("state")));
  Serve("http://x/", Error{ErrorCode::kUnavailable, "down"});
  folder_.Write("b.json", "[");
  std::filesystem::remove(PathFromUtf8(folder_.Path("c.json")));
  http.http_sd[0].refresh_interval = std::chrono::seconds(7);
  files.name = "i";
  files.file_sd[0].files.push_back(folder_.Path("d.json"));
  EXPECT_EQ(MoveTo({http, files}), "");
  EXPECT_THAT(Now(), ElementsAre("a", "b", "c"));
}

TEST_F(DiscoveryTest, WhatAReloadEndsDoesNotComeBack) {
  folder_.Write("a.json", ListOf("\"a\""));
  folder_.Write("b.json", ListOf("\"b\""));
  EXPECT_EQ(MoveTo({FileGroup("g", "a.json"), FileGroup("h", "b.json")}), "");
  std::filesystem::remove(PathFromUtf8(folder_.Path("a.json")));
  std::filesystem::remove(PathFromUtf8(folder_.Path("b.json")));
  // Another source of the same list has it.
  EXPECT_EQ(MoveTo({FileGroup("i", "b.json")}), "");
  EXPECT_THAT(Now(), ElementsAre("b"));
  EXPECT_EQ(MoveTo({Group("j")}), "");
  for (const char* const files : {"*.json", "a.json", "b.json"}) {
    EXPECT_EQ(MoveTo({FileGroup("g", files)}), "");
    EXPECT_THAT(Now(), IsEmpty()) << files;
  }
}

TEST_F(DiscoveryTest, AListWithTooManyTargetsIsLeftOut) {
  folder_.Write("a.json", ListOf("\"a\", \"b\""));
  folder_.Write("c.json", ListOf("\"c\", \"d\""));
  folder_.Write("e.json", ListOf("\"e\""));
  EXPECT_EQ(MoveTo({FileGroup("g", "*.json")}, 3), "");
  EXPECT_THAT(Now(), ElementsAre("a", "b", "e"));
  EXPECT_THAT(Metrics(),
              HasSubstr("echo_exporter_sd_refresh_failures_total{group=\"g\","
                        "mechanism=\"file_sd\"} 1\n"));
  // It is not forgotten: there is room for it now.
  EXPECT_EQ(MoveTo({FileGroup("g", "*.json")}, 5), "");
  EXPECT_THAT(Now(), ElementsAre("a", "b", "c", "d", "e"));
  // And nothing changes where no list can be left out.
  GroupConfig group = FileGroup("g", "*.json");
  EXPECT_THAT(MoveTo({group}, 4), HasSubstr("more than 4 pairs"));
  EXPECT_THAT(Now(), ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(DiscoveryTest, FollowsTheAddressesOfANameAndKeepsThemWithoutDns) {
  lookup_.Set("pods", {IpAddress::Parse("192.0.2.1").value(),
                       IpAddress::Parse("192.0.2.2").value()});
  GroupConfig group = Group("g");
  group.dns_refresh = std::chrono::milliseconds(1);
  group.name_addresses = NameAddresses::kAll;
  group.destinations = {{.name = "pods", .address = {}}};
  EXPECT_EQ(MoveTo({group}), "");
  EXPECT_THAT(Now(), ElementsAre("pods"));
  discovery_->Start();
  WaitFor({"pods@192.0.2.1", "pods@192.0.2.2"});
  lookup_.Set("pods", {IpAddress::Parse("192.0.2.2").value(),
                       IpAddress::Parse("192.0.2.3").value()});
  WaitFor({"pods@192.0.2.2", "pods@192.0.2.3"});
  lookup_.Fail("pods");
  lookup_.WaitForRefresh("pods");
  EXPECT_EQ(MoveTo({group}), "");
  EXPECT_THAT(Now(), ElementsAre("pods@192.0.2.2", "pods@192.0.2.3"));
}

TEST_F(DiscoveryTest, KnowsThisMachineByItsAddresses) {
  lookup_.Set("this machine", {IpAddress::Parse("192.0.2.1").value()});
  folder_.Write("a.json",
                ListOf("\"192.0.2.1\", \"192.0.2.2\", \"192.0.2.3\""));
  GroupConfig group = FileGroup("g", "a.json");
  group.exclude_self = true;
  EXPECT_EQ(MoveTo({group}), "");
  EXPECT_THAT(Now(), ElementsAre("192.0.2.2", "192.0.2.3"));
  group.neighbours = 1;
  EXPECT_EQ(MoveTo({group}), "");
  EXPECT_EQ(Now().size(), 1U);
  EXPECT_THAT(
      Metrics(),
      HasSubstr("echo_exporter_sd_neighbours_skipped{group=\"g\"} 1\n"));
}

TEST_F(DiscoveryTest, AnAbandonedPlanIsMadeAgain) {
  folder_.Write("a.json", ListOf("\"a\""));
  auto config = std::make_shared<ExporterConfig>();
  config->groups = {FileGroup("g", "a.json")};
  ASSERT_TRUE(discovery_->Plan(config).ok());
  discovery_->Abandon();
  EXPECT_THAT(Metrics(), Not(HasSubstr("echo_exporter_sd_")));
  EXPECT_EQ(MoveTo(config->groups), "");
  EXPECT_THAT(Now(), ElementsAre("a"));
}

}  // namespace
}  // namespace echo_exporter
