#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/engine/dispatcher_rig.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_log.h"

namespace echo_exporter {

inline DispatchedPair PairOf(PairId id, const Endpoint& source,
                             const Endpoint& destination,
                             const EchoSettings& echo = {},
                             std::uint32_t flow_renew_after = 0) {
  return {id, destination,
          std::make_shared<const PairSettings>(
              PairSettings{.source = source,
                           .echo = echo,
                           .flow_renew_after = flow_renew_after})};
}

/// A dispatcher whose time is the test's: its clock stands, so far in the
/// future that no deadline wakes it; it looks at the clock when Step() says so.
class DispatcherFixture : public testing::Test {
 protected:
  /// Adds one group of pairs from `source` to each address.
  void AddPairs(const std::vector<std::string>& addresses, Nanoseconds interval,
                const Endpoint& source = {}, const EchoSettings& echo = {}) {
    std::vector<DispatchedPair> pairs;
    for (const std::string& address : addresses) {
      pairs.push_back(PairOf(NewPair(address), source,
                             {.address = Address(address), .entry = {}}, echo,
                             flow_renew_after_));
    }
    rig_.dispatcher.Apply(
        {.scheduled = {{interval, pairs}}, .updated = {}, .removed = {}});
  }

  /// Adds a pair that is probed every second, between entries of the book.
  void AddPair(const Endpoint& source, const Endpoint& destination,
               const std::string& label) {
    const DispatchedPair pair =
        PairOf(NewPair(label), source, destination, {}, flow_renew_after_);
    rig_.dispatcher.Apply({.scheduled = {{std::chrono::seconds(1), {pair}}},
                           .updated = {},
                           .removed = {}});
  }

  /// From an adapter to 192.0.2.1.
  void AddPairFrom(const std::string& adapter) {
    AddPair({.address = {}, .entry = rig_.book.WatchInterface(adapter).entry},
            {.address = Address("192.0.2.1"), .entry = {}}, "192.0.2.1");
  }

  PairId NewPair(const std::string& destination) {
    return rig_.recorder.AddPair({"g", "auto", destination, {}});
  }

  void Start() {
    rig_.dispatcher.Start();
    Step(Nanoseconds(0));
  }

  /// Moves time on and waits until what is then due has been dealt with.
  void Step(Nanoseconds duration) {
    clock_.Advance(duration);
    // A round of the dispatcher sends what was submitted, then what is due. So
    // when the second submission has been sent, what was due at the first has.
    for (int i = 0; i < 2; ++i) {
      EchoRequest request;
      request.destination = kMarker;
      rig_.dispatcher.Submit(
          request, [this](const EchoResult& result) { markers_.Add(result); });
      markers_.WaitForSize(++markers_sent_);
    }
  }

  std::vector<EchoRequest> RequestsTo(const std::string& destination) const {
    std::vector<EchoRequest> requests;
    for (const auto& sent : rig_.network.SentTo(Address(destination))) {
      requests.push_back(sent.request);
    }
    return requests;
  }

  /// When requests were sent, in milliseconds since the start.
  std::vector<std::int64_t> TimesOf(const std::string& destination) const {
    std::vector<std::int64_t> times;
    for (const auto& sent : rig_.network.SentTo(Address(destination))) {
      times.push_back((sent.time - start_) / std::chrono::milliseconds(1));
    }
    return times;
  }

  std::optional<double> OfPair(const std::string& name,
                               const std::string& destination) const {
    return rig_.Sample("icmp_echo_" + name +
                       "{group=\"g\",source=\"auto\",destination=\"" +
                       destination + "\"}");
  }

  std::optional<double> Outcomes(const std::string& destination,
                                 const std::string& outcome) const {
    return rig_.Sample(
        "icmp_echo_outcomes_total{group=\"g\",source=\"auto\",destination=\"" +
        destination + "\",outcome=\"" + outcome + "\"}");
  }

  double Missed(const std::string& reason) const {
    return rig_
        .Sample("echo_exporter_schedule_missed_total{reason=\"" + reason +
                "\"}")
        .value_or(-1);
  }

  /// Of pairs that are added from then on.
  std::uint32_t flow_renew_after_ = 0;
  const IpAddress kMarker = Address("203.0.113.255");
  const SteadyTime start_ = Clock::System().Now() + std::chrono::hours(24);
  ManualClock clock_{start_};
  ResultLog markers_;
  std::size_t markers_sent_ = 0;
  DispatcherRig rig_{clock_};
};

}  // namespace echo_exporter
