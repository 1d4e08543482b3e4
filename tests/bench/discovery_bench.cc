// Measures a change of a large target list: how long the dispatcher is kept
// from sending, whether ticks are missed, and how long the recorder's locks are
// held.
//
// Usage: discovery_bench [TARGETS [CHANGED]]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/probe_recorder.h"
#include "echo_exporter/target_list.h"
#include "src/discovery/effective_config.h"
#include "src/engine/dispatcher.h"
#include "src/engine/pair_set.h"
#include "src/engine/result_router.h"

namespace echo_exporter {
namespace {

/// Answers each request at once.
class InstantTransport final : public EchoTransport {
 public:
  explicit InstantTransport(Callback callback)
      : callback_(std::move(callback)) {}
  void Send(const EchoRequest& request) override {
    const std::int64_t now = Clock::System().Now().time_since_epoch().count();
    longest_pause_ =
        std::max(longest_pause_.load(), now - std::exchange(last_, now));
    EchoResult result;
    result.tag = request.tag;
    result.outcome = EchoOutcome::kReply;
    result.rtt = std::chrono::microseconds(300);
    callback_(result);
  }
  bool Drain(Nanoseconds) override { return true; }
  std::size_t in_flight() const override { return 0; }
  std::size_t max_in_flight() const override { return 1'000'000; }
  bool Supports(IpVersion) const override { return true; }
  std::string Describe() const override { return "instant"; }
  EchoTransportStats Stats() const override { return {}; }
  bool NeedsRawSockets() const override { return false; }

  double TakeLongestPause() {
    return static_cast<double>(longest_pause_.exchange(0)) / 1e6;
  }

 private:
  const Callback callback_;
  std::int64_t last_ = Clock::System().Now().time_since_epoch().count();
  std::atomic<std::int64_t> longest_pause_{0};
};

std::string List(int begin, int end) {
  std::string text = "[";
  for (int i = begin; i < end; ++i) {
    text += (i == begin ? "" : ",\n");
    text += R"({"targets": ["10.)" + std::to_string(i / 65536) + '.' +
            std::to_string(i / 256 % 256) + '.' + std::to_string(i % 256) +
            R"("], "labels": {"site": "s)" + std::to_string(i % 97) +
            R"(", "rack": ")" + std::to_string(i % 13) + "\"}}";
  }
  return text + "]";
}

class Stopwatch {
 public:
  double Lap() {
    const SteadyTime now = Clock::System().Now();
    const SteadyTime before = std::exchange(begin_, now);
    return std::chrono::duration<double, std::milli>(now - before).count();
  }

 private:
  SteadyTime begin_ = Clock::System().Now();
};

double Missed(const ProbeRecorder& recorder) {
  std::string text;
  recorder.Render({.pairs = false}, {}, [&text](std::string_view piece) {
    text += piece;
    return true;
  });
  const std::string series = "schedule_missed_total{reason=\"late\"} ";
  return std::stod(text.substr(text.find(series) + series.size()));
}

class Bench {
 public:
  Bench() {
    GroupConfig& group = file_.groups.emplace_back();
    group.name = "bench";
    group.sources = {SourceConfig()};
    group.file_sd.emplace_back();
  }
  ~Bench() {
    done_ = true;
    if (reader_.joinable()) reader_.join();
    dispatcher_.Stop();
  }

  void Start() {
    dispatcher_.Start();
    reader_ = std::thread([this] { ReadLabels(); });
  }

  void MoveTo(int begin, int end) {
    const std::string text = List(begin, end);
    transport_.TakeLongestPause();
    longest_wait_ = 0;
    const double missed = Missed(recorder_);
    Stopwatch watch;
    const auto list =
        ReadTargetList(text, "bench.json", TargetListFormat::kJson, false);
    const double read = watch.Lap();
    const EffectiveConfig effective =
        Merge(file_, {{0, &list.value()}},
              {.hostname = "bench", .own_addresses = {}, .addresses_of = {}});
    const double merge = watch.Lap();
    DispatchChange change = pairs_.Plan(effective.config);
    const double plan = watch.Lap();
    dispatcher_.Apply(std::move(change));
    const double apply = watch.Lap();
    pairs_.Commit();
    const double commit = watch.Lap();
    std::printf("%7.1f %7.1f %7.1f | %8.2f %8.2f | %7.1f | %8.2f | %6.0f\n",
                read, merge, plan, apply, transport_.TakeLongestPause(), commit,
                static_cast<double>(longest_wait_.exchange(0)) / 1e6,
                Missed(recorder_) - missed);
  }

 private:
  /// How long a caller of the recorder waits for its locks.
  void ReadLabels() {
    while (!done_) {
      Stopwatch watch;
      (void)recorder_.LabelsOf(kept_);
      const auto waited = static_cast<std::int64_t>(watch.Lap() * 1e6);
      longest_wait_ = std::max(longest_wait_.load(), waited);
      // As often as requests of 50,000 pairs a second are recorded.
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

  ExporterConfig file_;
  ProbeRecorder recorder_{{.rtt_buckets = {0.001, 0.01, 0.1}}, Clock::System()};
  ResultRouter router_{recorder_};
  std::unique_ptr<AddressLookup> lookup_ = CreateAddressLookup();
  AddressBook book_{*lookup_, AddressBook::Options(), {}};
  PairSet pairs_{recorder_, book_};
  InstantTransport transport_{
      [this](const EchoResult& result) { router_.OnResult(result); }};
  Dispatcher dispatcher_{Clock::System(), transport_, book_,
                         recorder_,       router_,    Nanoseconds(0)};
  PairId kept_ = 0;
  std::atomic<bool> done_{false};
  std::atomic<std::int64_t> longest_wait_{0};
  std::thread reader_;
};

int Run(int targets, int changed) {
  std::printf(
      "%d targets, an echo request each a second; ms. First all, then %d of "
      "them "
      "removed and added again, five times.\n"
      "   read   merge    plan |    apply longest  |  commit | longest  | "
      "missed\n"
      "                        |          pause   |         | wait     | "
      "ticks\n",
      targets, changed);
  Bench bench;
  bench.MoveTo(0, targets);
  bench.Start();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  // The first target stays, so that its labels can be asked for.
  for (int i = 1; i <= 5; ++i) {
    bench.MoveTo(0, targets - changed);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    bench.MoveTo(0, targets);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  return 0;
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  return echo_exporter::Run(argc > 1 ? std::stoi(argv[1]) : 50'000,
                            argc > 2 ? std::stoi(argv[2]) : 10);
}
