#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/app/exporter_fixture.h"
#include "tests/support/latch.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class ExporterReloadTest : public ExporterFixture {
 protected:
  /// Starts an exporter that reads `toml_` at a reload.
  void StartReloadable(const std::string& toml) {
    SetConfig(toml);
    load_config_ = [this] {
      const MutexLock lock(mutex_);
      ConfigOutcome outcome = ParseConfig(toml_, "test.toml");
      if (outcome.config) {
        outcome.config->listen_addresses = {{"127.0.0.1", 0}};
      }
      return outcome;
    };
    Start(toml);
  }

  void SetConfig(const std::string& toml) {
    const MutexLock lock(mutex_);
    toml_ = toml;
  }

  Exporter::ReloadReport ReloadWith(const std::string& toml) {
    SetConfig(toml);
    return exporter_->Reload();
  }

  std::optional<ReceivedResponse> Post(const std::string& path) const {
    return HttpClient(exporter_->Urls().at(0)).Post(path);
  }

  static std::string Group(const std::string& destinations,
                           const std::string& more = "interval = \"10ms\"") {
    return "[[group]]\nname = \"g\"\ndestinations = [" + destinations + "]\n" +
           more + "\n";
  }

  Mutex mutex_;
  std::string toml_ GUARDED_BY(mutex_);
};

TEST_F(ExporterReloadTest, KeepsTheCountersOfPairsThatAreInBoth) {
  StartReloadable(Group("\"192.0.2.1\", \"192.0.2.2\""));
  WaitForSample(Pair("requests_total", "192.0.2.1"), 5);
  const auto report = ReloadWith(Group(
      "\"192.0.2.1\", \"192.0.2.3\"", "interval = \"10ms\"\npayload_size = 8"));
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  const Samples samples = Scrape();
  EXPECT_GE(Value(samples, Pair("requests_total", "192.0.2.1")).value_or(0), 5);
  EXPECT_EQ(Value(samples, Pair("requests_total", "192.0.2.2")), std::nullopt);
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 2);
  WaitForSample(Pair("requests_total", "192.0.2.3"), 2);
  EXPECT_EQ(network_.SentTo(Address("192.0.2.1")).back().request.payload_size,
            8);
}

TEST_F(ExporterReloadTest, GoesOnWithAPairThatComesBackBeforeItHasEnded) {
  network_.HoldFrom(Address("192.0.2.2"));
  const std::string both = Group("\"192.0.2.1\", \"192.0.2.2\"");
  StartReloadable(both);
  network_.WaitForSentTo(Address("192.0.2.2"), 3);
  ReloadWith(Group("\"192.0.2.1\""));
  const double left =
      Value(Scrape(), Pair("in_flight", "192.0.2.2")).value_or(0);
  EXPECT_GE(left, 3);

  ReloadWith(both);
  const Samples samples = Scrape();
  CheckAccounts(samples);
  EXPECT_GE(Value(samples, Pair("in_flight", "192.0.2.2")).value_or(0), left);
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 2);
  network_.AnswerFrom(Address("192.0.2.2"), {});
  network_.AnswerHeld(ReplyAfter(milliseconds(1)));
  WaitForSample(Outcome("192.0.2.2", "reply"), left + 1);
  CheckAccounts(Scrape());

  // Gone, it begins anew.
  ReloadWith(Group("\"192.0.2.1\""));
  EXPECT_EQ(Value(Scrape(), Pair("requests_total", "192.0.2.2")), std::nullopt);
  ReloadWith(Group("\"192.0.2.1\", \"192.0.2.2\"", "interval = \"1h\""));
  EXPECT_LE(Value(Scrape(), Pair("requests_total", "192.0.2.2")).value_or(9),
            1);
}

TEST_F(ExporterReloadTest, KeepsAnOutageAndTakesAnotherLengthOfThem) {
  network_.Answer({.result = EndAs(EchoOutcome::kTimeout)});
  const std::string fast = "interval = \"10ms\"\noutage_after = ";
  StartReloadable(Group("\"192.0.2.1\"", fast + "1000"));
  WaitForSample(Pair("consecutive_failures", "192.0.2.1"), 5);
  Samples samples = Scrape();
  EXPECT_EQ(Value(samples, Pair("outages_total", "192.0.2.1")), 0);
  EXPECT_EQ(Value(samples, Pair("outage_seconds_total", "192.0.2.1")), 0);

  ReloadWith(Group("\"192.0.2.1\", \"192.0.2.2\"", fast + "5"));
  // Of the whole run.
  WaitForSample(Pair("outage_seconds_total", "192.0.2.1"), 0.04);
  samples = Scrape();
  CheckAccounts(samples);
  EXPECT_EQ(Value(samples, Pair("outages_total", "192.0.2.1")), 1);

  ReloadWith(Group("\"192.0.2.1\"", fast + "1000"));
  const double so_far =
      Value(Scrape(), Pair("consecutive_failures", "192.0.2.1")).value_or(0);
  WaitForSample(Pair("consecutive_failures", "192.0.2.1"), so_far + 3);
  network_.Answer({});
  WaitForSample(Pair("failure_run_length_count", "192.0.2.1"), 1);
  samples = Scrape();
  CheckAccounts(samples);
  EXPECT_EQ(Value(samples, Pair("outages_total", "192.0.2.1")), 1);
  EXPECT_EQ(Value(samples, Pair("consecutive_failures", "192.0.2.1")), 0);
  EXPECT_EQ(Value(samples, Pair("failure_run_length_count", "192.0.2.1")), 1);
}

TEST_F(ExporterReloadTest, KeepsTheCountersUnderOtherLabels) {
  StartReloadable(Group("\"192.0.2.1\""));
  WaitForSample(Pair("requests_total", "192.0.2.1"), 5);
  ReloadWith(Group("\"192.0.2.1\"",
                   "interval = \"10ms\"\nlabels = { site = \"fra\" }"));
  const Samples samples = Scrape();
  EXPECT_EQ(Value(samples, Pair("requests_total", "192.0.2.1")), std::nullopt);
  EXPECT_GE(Value(samples,
                  "icmp_echo_requests_total{group=\"g\",source=\"auto\","
                  "destination=\"192.0.2.1\",site=\"fra\"}")
                .value_or(0),
            5);
}

TEST_F(ExporterReloadTest, ABadConfigurationChangesNothing) {
  StartReloadable(Group("\"192.0.2.1\""));
  WaitForSample(Pair("requests_total", "192.0.2.1"), 1);
  const auto report = ReloadWith(Group("\"192.0.2.2\"", "ttl = 0\ncolour = 1"));
  EXPECT_EQ(report.errors.size(), 2U);
  const Samples samples = Scrape();
  EXPECT_EQ(Value(samples, "echo_exporter_config_last_reload_successful"), 0);
  EXPECT_EQ(Value(samples, Pair("requests_total", "192.0.2.2")), std::nullopt);
  const double before =
      Value(samples, Pair("requests_total", "192.0.2.1")).value_or(0);
  WaitForSample(Pair("requests_total", "192.0.2.1"), before + 2);

  ReloadWith(Group("\"192.0.2.1\""));
  EXPECT_EQ(Value(Scrape(), "echo_exporter_config_last_reload_successful"), 1);
}

TEST_F(ExporterReloadTest, AChangeOfTheFileRemovesNotAllPairs) {
  StartReloadable(Group("\"192.0.2.1\""));
  const auto report = exporter_->ReloadChanged(ParseConfig("", "test.toml"));
  EXPECT_THAT(report.errors, Contains(HasSubstr("no pair any more")));
  Samples samples = Scrape();
  EXPECT_EQ(Value(samples, "echo_exporter_pairs"), 1);
  EXPECT_EQ(Value(samples, "echo_exporter_config_last_reload_successful"), 0);

  EXPECT_THAT(
      exporter_
          ->ReloadChanged(ParseConfig(Group("\"192.0.2.0/30\""), "test.toml"))
          .errors,
      IsEmpty());
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 2);
  EXPECT_THAT(ReloadWith("").errors, IsEmpty());
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 0);
  EXPECT_THAT(exporter_->ReloadChanged(ParseConfig("", "test.toml")).errors,
              IsEmpty());
}

TEST_F(ExporterReloadTest, AReloadReadsTheWebConfigurationToo) {
  const TemporaryFolder folder;
  const std::string header =
      "http_server_config: {headers: {X-XSS-Protection: ";
  web_security_ =
      WebSecurity::Open(folder.Write("web.yml", header + "1}}\n")).security;
  ASSERT_TRUE(web_security_);
  StartReloadable(Group("\"192.0.2.1\""));
  EXPECT_EQ(Get("/-/ready")->header("X-XSS-Protection"), "1");
  folder.Write("web.yml", header + "2}}\n");
  EXPECT_EQ(Post("/-/reload")->status, 200);
  EXPECT_EQ(Get("/-/ready")->header("X-XSS-Protection"), "2");

  // All or nothing.
  folder.Write("web.yml", "colour: blue\n");
  EXPECT_THAT(ReloadWith(Group("\"192.0.2.0/30\"")).errors,
              Contains(HasSubstr("web.yml:1:1: ")));
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 1);
  folder.Write("web.yml", header + "3}}\n");
  EXPECT_THAT(ReloadWith("colour = 1").errors,
              Contains(HasSubstr("test.toml:1:1: ")));
  EXPECT_EQ(Get("/-/ready")->header("X-XSS-Protection"), "2");
}

TEST_F(ExporterReloadTest, AnswersWithTheFirstHundredErrors) {
  StartReloadable(Group("\"192.0.2.1\""));
  std::string wrong;
  for (int i = 0; i < 5000; ++i) wrong += "k" + std::to_string(i) + " = 1\n";
  SetConfig(wrong);
  const auto answer = Post("/-/reload");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_LT(answer->body.size(), 65536U);
  EXPECT_THAT(answer->body, HasSubstr("4900 more lines"));
}

TEST_F(ExporterReloadTest, AnswersPostWithWhatBecameOfIt) {
  StartReloadable(Group("\"192.0.2.1\""));
  auto answer = Post("/-/reload");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "Reloaded.\n");

  SetConfig(Group("\"192.0.2.1\"", "ttl = 0\ncolour = 1"));
  answer = Post("/-/reload");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, HasSubstr("test.toml:4:7: "));
  EXPECT_THAT(answer->body, HasSubstr("test.toml:5:1: "));

  answer = Get("/-/reload");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->header("Allow"), "POST");
}

TEST_F(ExporterReloadTest, AnswersTwoPostsAtOnceAndRefusesMore) {
  StartReloadable(Group("\"192.0.2.1\""));
  Latch refused(1);
  std::atomic<int> refusals = 0;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  {
    const MutexLock held(mutex_);  // by which no reload gets its configuration
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back([&] {
        const auto answer = Post("/-/reload");
        if (answer && answer->status == 503) {
          EXPECT_EQ(answer->header("Retry-After"), "1");
          ++refusals;
          refused.count_down();
        } else if (answer && answer->status == 200) {
          ++answered;
        }
      });
    }
    refused.wait();
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refusals, 1);
  EXPECT_EQ(answered, 2);
}

TEST_F(ExporterReloadTest, PostCanBeSwitchedOff) {
  StartReloadable("[web]\nallow_reload = false\n" + Group("\"192.0.2.1\""));
  const auto answer = Post("/-/reload");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 403);
  EXPECT_THAT(answer->body, HasSubstr("web.allow_reload"));
}

TEST_F(ExporterReloadTest, SaysWhatNeedsARestart) {
  StartReloadable(Group("\"192.0.2.1\""));
  const auto report = ReloadWith(
      "[metrics]\nrtt_buckets = [1]\nnative_factor = \"off\"\n"
      "native_max_buckets = 10\n[engine]\nmax_in_flight = 1\n" +
      Group("\"192.0.2.1\"", "interval = \"5s\""));
  EXPECT_THAT(report.notes, Contains(HasSubstr("metrics.rtt_buckets")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("metrics.native_factor")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("metrics.native_max_buckets")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("engine.max_in_flight")));
  const auto config = Get("/config");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->body, HasSubstr("max_in_flight = 4096\n"));
  EXPECT_THAT(config->body, HasSubstr("interval = \"5s\"\n"));
}

TEST_F(ExporterReloadTest, OmitsFamiliesFromThenOn) {
  StartReloadable(Group("\"192.0.2.1\""));
  const auto answer_has = [this](const char* name) {
    return Get("/metrics")->body.find(name) != std::string::npos;
  };
  EXPECT_TRUE(answer_has("icmp_echo_in_flight"));
  const auto report = ReloadWith(
      "[metrics]\nomit = [\"icmp_echo_in_flight\"]\n" + Group("\"192.0.2.1\""));
  EXPECT_TRUE(report.successful);
  EXPECT_FALSE(answer_has("icmp_echo_in_flight"));
  EXPECT_TRUE(answer_has("icmp_echo_up"));
}

TEST_F(ExporterReloadTest, SaysWhenMorePairsNeedARestart) {
  const auto inert = [](const std::string& prefix) {
    return Group("\"" + prefix + "\"", "interval = \"1h\"");
  };
  StartReloadable(inert("10.0.0.0/20"));  // 4,094, by which it is 6,141
  EXPECT_THAT(ReloadWith(inert("10.0.0.0/21")).notes, IsEmpty());
  EXPECT_THAT(ReloadWith(inert("10.0.0.0/20")).notes, IsEmpty());
  EXPECT_THAT(ReloadWith(inert("10.0.0.0/19")).notes,
              Contains(HasSubstr("engine.max_in_flight")));
}

TEST_F(ExporterReloadTest, ProbesByTheNewModules) {
  StartReloadable(Group("\"192.0.2.1\""));
  EXPECT_EQ(Get("/probe?target=192.0.2.9&module=b")->status, 400);
  ReloadWith(Group("\"192.0.2.1\"") + "[modules.b]\n");
  EXPECT_EQ(Get("/probe?target=192.0.2.9&module=b")->status, 200);
}

TEST_F(ExporterReloadTest, AccountsForContinuousPairsDuringAThousandReloads) {
  network_.Answer({.when = FakeAnswer::When::kSoon, .result = {}});
  const auto module = [](const std::string& more) {
    return "[modules.lan]\nmode = \"continuous\"\n" + more;
  };
  StartReloadable(module("interval = \"10ms\"\n"));
  std::atomic<bool> done = false;
  std::thread reloader([&] {
    for (int i = 0; i < 1000; ++i) {
      ReloadWith(module("interval = \"1" + std::to_string(i % 2) +
                        "ms\"\npayload_size = " + std::to_string(i % 3) +
                        "\n"));
      exporter_->EndUnaskedPairs();
    }
    done = true;
  });
  double requests = 0;
  while (!done) {
    const auto answer = Get("/probe?module=lan&target=192.0.2.1");
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    const Samples samples = ParseSamples(answer->body);
    double ended = samples.at("icmp_echo_in_flight");
    for (const auto& [series, value] : samples) {
      if (series.starts_with("icmp_echo_outcomes_total")) ended += value;
    }
    EXPECT_EQ(samples.at("icmp_echo_requests_total"), ended);
    EXPECT_GE(ended, requests) << "none is lost";
    requests = ended;
  }
  reloader.join();
  EXPECT_EQ(Value(Scrape(), "echo_exporter_continuous_pairs"), 1);
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 0);
  network_.WaitForSentTo(Address("192.0.2.1"),
                         network_.SentTo(Address("192.0.2.1")).size() + 2);
  exporter_->Stop();
  EXPECT_EQ(exporter_->InFlight(), 0U);
}

TEST_F(ExporterReloadTest, AccountsForEveryRequestDuringAThousandReloads) {
  network_.Answer({.when = FakeAnswer::When::kSoon, .result = {}});
  const std::string ten = "\"192.0.2.0/28\"";
  const std::string few = "\"192.0.2.8/30\", \"198.51.100.0/30\"";
  StartReloadable(Group(ten));
  std::atomic<bool> done = false;
  std::thread reloader([&] {
    for (int i = 0; i < 1000; ++i) ReloadWith(Group(i % 2 == 0 ? few : ten));
    done = true;
  });
  int scrapes = 0;
  while (!done) {
    CheckAccounts(Scrape());
    ++scrapes;
  }
  reloader.join();
  EXPECT_GT(scrapes, 1);
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 14);
}

}  // namespace
}  // namespace echo_exporter
