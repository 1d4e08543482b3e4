// What the Windows transport itself costs, on a scripted ICMP API that sends
// nothing: events, waits and threads are the real ones. Prints a table.
//
//   scripted_load

#include <cstdint>
#include <cstdio>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/base/process_stats.h"
#include "src/transport/echo_engine_windows.h"
#include "src/transport/echo_transport_windows.h"
#include "tests/support/scripted_icmp_windows.h"

namespace echo_exporter {
namespace {

constexpr std::uint64_t kRequests = 20'000;
constexpr std::size_t kInFlight = 64;
constexpr std::size_t kWatched = 60'000;
constexpr int kRounds = 20;

EchoRequest Request() {
  EchoRequest request;
  request.destination = IpAddress::V4({192, 0, 2, 1});
  request.timeout = std::chrono::seconds(1);
  request.payload_size = 32;
  return request;
}

double MicrosecondsSince(SteadyTime begin) {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now() - begin)
      .count();
}

double CpuMicroseconds() {
  return ReadProcessStats().cpu_seconds.value_or(0) * 1e6;
}

void MeasureRequests(const char* what,
                     const std::function<IcmpReturn(IcmpCall&)>& handler) {
  ScriptedIcmp system;
  system.OnSend(handler);
  auto transport = CreateWindowsEchoTransport(
      system.Api(), {.max_in_flight = kInFlight}, [](const EchoResult&) {});
  const SteadyTime begin = std::chrono::steady_clock::now();
  const double cpu = CpuMicroseconds();
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    while (transport.value()->in_flight() == kInFlight) {
      std::this_thread::yield();
    }
    transport.value()->Send(Request());
  }
  transport.value()->Drain(std::chrono::seconds(300));
  std::printf("| %s: us, CPU us, registrations each | %.1f, %.1f, %.4f |\n",
              what, MicrosecondsSince(begin) / kRequests,
              (CpuMicroseconds() - cpu) / kRequests,
              static_cast<double>(system.registrations()) / kRequests);
}

// Wine has a thread for each 63 waits, so these are signalled by hand.
Mutex g_mutex;
std::vector<std::pair<WAITORTIMERCALLBACK, void*>> g_waits;

BOOL WINAPI KeepWait(HANDLE* wait, HANDLE, WAITORTIMERCALLBACK callback,
                     void* context, ULONG, ULONG) {
  *wait = nullptr;
  MutexLock lock(g_mutex);
  g_waits.emplace_back(callback, context);
  return TRUE;
}

double ResidentMegabytes() {
  return static_cast<double>(
             ReadProcessStats().resident_memory_bytes.value_or(0)) /
         1e6;
}

// Nothing answers, then everything does, then nothing is sent for two minutes.
void MeasureOutage() {
  ScriptedIcmp system;
  IcmpApi api = system.Api();
  api.register_wait = &KeepWait;
  const EchoEngineOwner engine(new EchoEngine(api, {.max_in_flight = kWatched},
                                              [](const EchoResult&) {}));
  if (!engine->Open().ok()) return;
  for (std::size_t i = 0; i < kWatched; ++i) engine->Send(Request());
  for (const IcmpCall& call : system.WaitForCalls(kWatched)) {
    WriteReplyV4(call, call.destination, 0, 0, 64, call.payload);
  }
  const SteadyTime begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) engine->ExpireOverdue(/*all=*/false);
  std::printf("| a round of the watchdog, %zu in flight: us | %.1f |\n",
              kWatched, MicrosecondsSince(begin) / kRounds);
  for (const auto& [callback, context] : g_waits) callback(context, FALSE);
  const double before = ResidentMegabytes();
  for (int minute = 0; minute < 2; ++minute) {
    system.AdvanceClock(60'000'000'000);
    for (std::size_t i = 0; i < kWatched; i += 1000) engine->ReleaseUnused();
  }
  std::printf(
      "| resident memory after an outage, two minutes later: MB | "
      "%.1f, %.1f |\n",
      before, ResidentMegabytes());
}

}  // namespace
}  // namespace echo_exporter

int main() {
  using echo_exporter::IcmpCall;
  using echo_exporter::IcmpReturn;
  echo_exporter::MeasureRequests("answered", [](IcmpCall& call) {
    echo_exporter::WriteReplyV4(call, call.destination, 0, 0, 64, call.payload);
    SetEvent(call.event);
    return IcmpReturn{};
  });
  echo_exporter::MeasureRequests("refused", [](IcmpCall&) {
    return IcmpReturn{.replies = 0, .last_error = ERROR_NETWORK_UNREACHABLE};
  });
  echo_exporter::MeasureOutage();
}
