// Measures the rendering of pairs: by prometheus-cpp's own Registry and
// TextSerializer, and by ProbeRecorder. The table it prints is what the design
// of src/recorder/text_format.h rests on.
//
// Usage: render_bench [PAIRS]

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/probe_recorder.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "src/base/process_stats.h"
#include "tests/recorder/samples.h"

namespace echo_exporter {
namespace {

using BenchClock = std::chrono::steady_clock;

constexpr int kReplies = 20;  // recorded for each pair

const std::vector<double>& Buckets() {
  static const std::vector<double> buckets = [] {
    std::vector<double> bounds;
    for (int i = 0; i < 20; ++i) bounds.push_back(0.00005 * (1 << i));
    return bounds;
  }();
  return buckets;
}

std::string Destination(int pair) {
  return "10.20." + std::to_string(pair / 256) + "." +
         std::to_string(pair % 256);
}

EchoResult Reply(int n) {
  EchoResult result;
  result.outcome = EchoOutcome::kReply;
  result.rtt = std::chrono::microseconds(100 + 137 * n);
  result.completion_delay = std::chrono::microseconds(20);
  result.reply_ttl = std::uint8_t{64};
  return result;
}

/// The same families and values as ProbeRecorder's, with all that
/// prometheus-cpp offers.
class RegistryRecorder {
 public:
  void AddPair(int pair) {
    const prometheus::Labels labels = {{"group", "bench"},
                                       {"source", "auto"},
                                       {"destination", Destination(pair)},
                                       {"site", "fra"}};
    const auto with = [&labels](const char* name, std::string value) {
      prometheus::Labels more = labels;
      more.emplace(name, std::move(value));
      return more;
    };
    auto& replies = outcomes_.Add(with("outcome", "reply"));
    outcomes_.Add(with("outcome", "timeout"));
    auto& requests = requests_.Add(labels);
    auto& rtt = rtt_.Add(labels, Buckets());
    for (int n = 0; n < kReplies; ++n) {
      requests.Increment();
      replies.Increment();
      rtt.Observe(std::chrono::duration<double>(Reply(n).rtt).count());
    }
    in_flight_.Add(labels);
    last_rtt_.Add(labels).Set(0.000237);
    jitter_.Add(labels).Set(0.0000123);
    ttl_.Add(labels).Set(64);
    up_.Add(labels).Set(1);
    prometheus::Labels info = with("source_address", "");
    info.emplace("destination_address", Destination(pair));
    info.emplace("ip_version", "4");
    info_.Add(info).Set(1);
  }

  std::string Render() const {
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

 private:
  prometheus::Family<prometheus::Counter>& AddCounters(const char* name) {
    return prometheus::BuildCounter().Name(name).Help("Help.").Register(
        registry_);
  }
  prometheus::Family<prometheus::Gauge>& AddGauges(const char* name) {
    return prometheus::BuildGauge().Name(name).Help("Help.").Register(
        registry_);
  }

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_ =
      AddCounters("icmp_echo_requests_total");
  prometheus::Family<prometheus::Counter>& outcomes_ =
      AddCounters("icmp_echo_outcomes_total");
  prometheus::Family<prometheus::Gauge>& in_flight_ =
      AddGauges("icmp_echo_in_flight");
  prometheus::Family<prometheus::Histogram>& rtt_ =
      prometheus::BuildHistogram()
          .Name("icmp_echo_rtt_seconds")
          .Help("Help.")
          .Register(registry_);
  prometheus::Family<prometheus::Gauge>& last_rtt_ =
      AddGauges("icmp_echo_last_rtt_seconds");
  prometheus::Family<prometheus::Gauge>& jitter_ =
      AddGauges("icmp_echo_jitter_seconds");
  prometheus::Family<prometheus::Gauge>& ttl_ =
      AddGauges("icmp_echo_reply_ttl");
  prometheus::Family<prometheus::Gauge>& up_ = AddGauges("icmp_echo_up");
  prometheus::Family<prometheus::Gauge>& info_ =
      AddGauges("icmp_echo_pair_info");
};

void AddPair(int pair, ProbeRecorder* recorder) {
  const PairId id = recorder->AddPair(
      {"bench", "auto", Destination(pair), {{"site", "fra"}}});
  recorder->SetRoute(id, Route{{}, *IpAddress::Parse(Destination(pair))}, true);
  for (int n = 0; n < kReplies; ++n) {
    recorder->RecordResult(recorder->RecordRequest(id, {}, 3).id, Reply(n));
  }
}

/// The middle one of nine runs, in milliseconds.
double MedianMilliseconds(const std::function<void()>& work) {
  std::vector<double> runs;
  for (int i = 0; i < 9; ++i) {
    const auto begin = BenchClock::now();
    work();
    runs.push_back(
        std::chrono::duration<double, std::milli>(BenchClock::now() - begin)
            .count());
  }
  std::nth_element(runs.begin(), runs.begin() + 4, runs.end());
  return runs[4];
}

std::uint64_t ResidentBytes() {
  return ReadProcessStats().resident_memory_bytes.value_or(0);
}

void PrintRendering(const char* name, std::uint64_t bytes_per_pair,
                    const std::function<std::string()>& render) {
  std::size_t text_bytes = 0;
  const double time = MedianMilliseconds([&] { text_bytes = render().size(); });
  std::printf("| %-23s | %9.1f | %9.2f | %18llu |\n", name, time,
              static_cast<double>(text_bytes) / 1e6,
              static_cast<unsigned long long>(bytes_per_pair));
}

/// Nanoseconds a call, with `thread_count` threads calling at once.
double NanosecondsPerCall(int thread_count,
                          const std::function<void(int thread)>& call) {
  constexpr int kCalls = 200'000;
  const double time = MedianMilliseconds([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < thread_count; ++t) {
      threads.emplace_back([&call, t] {
        for (int i = 0; i < kCalls; ++i) call(t);
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  return time * 1e6 / kCalls;
}

void PrintRecording(const char* name, const std::function<void(int)>& call) {
  std::printf("| %-34s | %11.0f | %12.0f |\n", name,
              NanosecondsPerCall(1, call), NanosecondsPerCall(4, call));
}

void Run(int pairs) {
  // Both are built before either renders, so that no memory is used twice.
  const std::uint64_t resident_before = ResidentBytes();
  ProbeRecorder recorder({.rtt_buckets = Buckets()}, Clock::System(), true,
                         true);
  for (int i = 0; i < pairs; ++i) AddPair(i, &recorder);
  const std::uint64_t resident_between = ResidentBytes();
  RegistryRecorder registry;
  for (int i = 0; i < pairs; ++i) registry.AddPair(i);
  const std::uint64_t resident_after = ResidentBytes();

  std::printf("%d pairs, %zu buckets\n\n", pairs, Buckets().size());
  std::printf("| %-23s | %9s | %9s | %18s |\n", "rendering", "time [ms]",
              "text [MB]", "memory/pair [byte]");
  std::printf("|---|---|---|---|\n");
  const auto count = static_cast<std::uint64_t>(pairs);
  PrintRendering("prometheus-cpp Registry",
                 (resident_after - resident_between) / count,
                 [&] { return registry.Render(); });
  PrintRendering("ProbeRecorder", (resident_between - resident_before) / count,
                 [&] { return RenderText(recorder); });
  PrintRendering("the same in protobuf", 0, [&] {
    return Render(recorder, {.format = MetricsFormat::kProtobuf});
  });

  prometheus::Histogram histogram(Buckets());
  std::printf("\n| %-34s | %11s | %12s |\n", "recording [ns/call]", "1 thread",
              "4 threads");
  std::printf("|---|---|---|\n");
  PrintRecording("RecordRequest + RecordResult", [&](int thread) {
    const auto pair = static_cast<PairId>(thread % pairs);
    recorder.RecordResult(recorder.RecordRequest(pair, {}, 3).id,
                          Reply(thread));
  });
  struct alignas(64) Turn {
    int pair = 0;
  };
  std::array<Turn, 4> turns;  // by thread
  PrintRecording("the same, each pair in turn", [&](int thread) {
    int& turn = turns[static_cast<std::size_t>(thread)].pair;
    const auto pair = static_cast<PairId>(turn);
    turn = (turn + 1) % pairs;
    recorder.RecordResult(recorder.RecordRequest(pair, {}, 3).id,
                          Reply(thread));
  });
  PrintRecording("prometheus::Histogram::Observe",
                 [&](int) { histogram.Observe(0.0003); });
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  int pairs = 2000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), pairs);
  }
  if (pairs < 1 || pairs > 65536) {
    std::fprintf(stderr, "usage: render_bench [PAIRS], 1 .. 65536\n");
    return 2;
  }
  echo_exporter::Run(pairs);
  return 0;
}
