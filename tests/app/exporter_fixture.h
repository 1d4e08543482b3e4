#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "echo_exporter/exporter.h"
#include "tests/recorder/samples.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/http_client.h"

namespace echo_exporter {

/// A whole exporter on a fake network, seen through real HTTP.
class ExporterFixture : public testing::Test {
 protected:
  using Samples = std::map<std::string, double>;

  // Never used up: what is waited for comes as soon as the threads get to it.
  static constexpr Nanoseconds kPatience = std::chrono::minutes(5);

  ExporterFixture() { network_.LimitDrain(Nanoseconds(0)); }

  /// Requires good TOML; `[web]` is filled in.
  Result<std::unique_ptr<Exporter>> Create(
      const std::string& toml, FakeEchoNetwork& network,
      const std::string& listen_address = "127.0.0.1:0") {
    ConfigOutcome outcome = ParseConfig(toml, "test.toml");
    EXPECT_THAT(outcome.errors, testing::IsEmpty());
    ExporterConfig config = std::move(outcome.config).value();
    config.listen_addresses = {ParseListenAddress(listen_address).value()};
    const Exporter::Environment environment{
        .create_transport =
            [&network](const EchoTransportOptions& options,
                       EchoTransport::Callback callback) {
              return network.CreateTransport(options, std::move(callback));
            },
        .lookup = &lookup_,
        .web_security = web_security_,
        .load_config = load_config_,
        .http_limits = http_limits_};
    return Exporter::Create(config, environment);
  }

  void Start(const std::string& toml) {
    auto exporter = Create(toml, network_);
    ASSERT_TRUE(exporter.ok()) << exporter.error().message;
    exporter_ = std::move(exporter).value();
    exporter_->Start();
  }

  std::optional<ReceivedResponse> Get(const std::string& path,
                                      const HttpHeaders& headers = {}) const {
    return HttpClient(exporter_->Urls().at(0)).Get(path, headers);
  }

  Samples Scrape() const {
    const auto answer = Get("/metrics");
    if (!answer) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    EXPECT_EQ(answer->status, 200);
    return ParseSamples(answer->body);
  }

  /// Scrapes until a series has at least that value.
  void WaitForSample(const std::string& series, double least) const {
    const SteadyTime deadline = Clock::System().Now() + kPatience;
    while (Value(Scrape(), series).value_or(0) < least) {
      ASSERT_LT(Clock::System().Now(), deadline) << series;
      std::this_thread::yield();
    }
  }

  static std::optional<double> Value(const Samples& samples,
                                     const std::string& series) {
    const auto found = samples.find(series);
    if (found == samples.end()) return std::nullopt;
    return found->second;
  }

  static std::string Pair(const std::string& name,
                          const std::string& destination) {
    return "icmp_echo_" + name + "{group=\"g\",source=\"auto\",destination=\"" +
           destination + "\"}";
  }

  static std::string Outcome(const std::string& destination,
                             const std::string& outcome) {
    return "icmp_echo_outcomes_total{group=\"g\",source=\"auto\",destination="
           "\"" +
           destination + "\",outcome=\"" + outcome + "\"}";
  }

  /// Checks every pair of one scrape and returns how many requests there were.
  static double CheckAccounts(const Samples& samples) {
    const std::string kRequests = "icmp_echo_requests_total{";
    const std::string kOutcomes = "icmp_echo_outcomes_total{";
    const std::string kInFlight = "icmp_echo_in_flight{";
    const std::string kFinishedLosses = "icmp_echo_failure_run_length_sum{";
    const std::string kOtherLosses = "icmp_echo_consecutive_failures{";
    // By the labels of the pair.
    std::map<std::string, double> unaccounted;
    std::map<std::string, double> unaccounted_losses;
    double requests = 0;
    for (const auto& [series, value] : samples) {
      if (series.starts_with(kRequests)) {
        unaccounted[series.substr(kRequests.size())] += value;
        requests += value;
      } else if (series.starts_with(kInFlight)) {
        unaccounted[series.substr(kInFlight.size())] -= value;
      } else if (series.starts_with(kOutcomes)) {
        const std::string labels = series.substr(kOutcomes.size());
        const std::size_t end = labels.find(",outcome=");
        const std::string pair = labels.substr(0, end) + "}";
        unaccounted[pair] -= value;
        const std::string outcome = labels.substr(end);
        if (outcome.find("\"reply\"") == std::string::npos &&
            outcome.find("\"suspended\"") == std::string::npos &&
            outcome.find("\"no_resources\"") == std::string::npos) {
          unaccounted_losses[pair] -= value;
        }
      } else if (series.starts_with(kFinishedLosses)) {
        unaccounted_losses[series.substr(kFinishedLosses.size())] += value;
      } else if (series.starts_with(kOtherLosses)) {
        unaccounted_losses[series.substr(kOtherLosses.size())] += value;
      }
    }
    for (const auto& [labels, difference] : unaccounted_losses) {
      EXPECT_EQ(difference, 0) << labels;
    }
    for (const auto& [labels, difference] : unaccounted) {
      EXPECT_EQ(difference, 0) << labels;
    }
    return requests;
  }

  static constexpr const char* kOnePair = R"(
[[group]]
name = "g"
sources = ["auto"]
destinations = ["192.0.2.1"]
interval = "1h"
)";

  static constexpr const char* kFastPair = R"(
[[group]]
name = "g"
sources = ["auto"]
destinations = ["192.0.2.1"]
interval = "10ms"
)";

  FakeEchoNetwork network_;
  FakeAddressLookup lookup_;
  std::function<ConfigOutcome()> load_config_;
  std::shared_ptr<WebSecurity> web_security_;
  HttpLimits http_limits_;
  std::unique_ptr<Exporter> exporter_;
};

}  // namespace echo_exporter
