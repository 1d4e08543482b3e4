// What the Windows transport itself costs, on a scripted ICMP API that sends
// nothing: events, waits and threads are the real ones. Prints a table.
//
//   scripted_load

#include <cstdint>
#include <cstdio>
#include <functional>
#include <thread>

#include "src/base/process_stats.h"
#include "src/transport/echo_engine_windows.h"
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

// Wine has a thread for each 63 waits, and nothing is signalled here.
BOOL WINAPI RegisterNothing(HANDLE* wait, HANDLE, WAITORTIMERCALLBACK, void*,
                            ULONG, ULONG) {
  *wait = nullptr;
  return TRUE;
}

void MeasureWatchdog() {
  ScriptedIcmp system;
  IcmpApi api = system.Api();
  api.register_wait = &RegisterNothing;
  const EchoEngineOwner engine(new EchoEngine(api, {.max_in_flight = kWatched},
                                              [](const EchoResult&) {}));
  if (!engine->Open().ok()) return;
  for (std::size_t i = 0; i < kWatched; ++i) engine->Send(Request());
  system.WaitForCalls(kWatched);
  const SteadyTime begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) engine->ExpireOverdue(/*all=*/false);
  std::printf("| a round of the watchdog, %zu in flight: us | %.1f |\n",
              kWatched, MicrosecondsSince(begin) / kRounds);
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
  echo_exporter::MeasureWatchdog();
}
