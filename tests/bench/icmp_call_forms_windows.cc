// What the ICMP API itself costs, without an exporter around it: sends echo
// requests to loopback addresses at a steady rate, in one of the forms that
// the API offers, and prints one line of what it measured. measured_... is the
// time until this process saw the reply, rtt_... what the exporter would make
// of it and of the system's own milliseconds.
//
//   icmp_call_forms FORM RATE SECONDS
//
// FORM is
//   persistent  an event and one registered wait per slot, for its whole life
//               (what the exporter does: this is its floor), in two threads
//   once        the same with a new registered wait per request
//   apc         an APC to the sending thread
//   sync        the synchronous call, in as many threads as it takes

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "src/base/mutex.h"
#include "src/transport/echo_buffer_windows.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {
namespace {

constexpr int kSlots = 200;
constexpr int kSenders = 2;  // as the exporter on up to five processors
constexpr int kDestinations = 2000;
constexpr std::uint16_t kPayloadSize = 32;
constexpr DWORD kTimeoutMs = 1000;

struct Slot {
  HANDLE event = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  HANDLE wait = nullptr;
  alignas(8) std::uint8_t reply[40 + kPayloadSize + 8 + 16];
  std::int64_t sent_ticks = 0;
};

std::int64_t NowTicks() {
  LARGE_INTEGER ticks;
  QueryPerformanceCounter(&ticks);
  return ticks.QuadPart;
}

std::int64_t TicksPerSecond() {
  LARGE_INTEGER frequency;
  QueryPerformanceFrequency(&frequency);
  return frequency.QuadPart;
}

void WINAPI IgnoreApc(void*, void*, ULONG) {}

class Loop {
 public:
  Loop(std::string_view form, int rate, int seconds)
      : form_(form), rate_(rate), seconds_(seconds) {}

  int Run();

 private:
  static void CALLBACK OnSignal(void* context, BOOLEAN) {
    instance_->End(*static_cast<Slot*>(context));
  }
  static void WINAPI OnApc(void* context, void*, ULONG) {
    instance_->End(*static_cast<Slot*>(context));
  }

  Slot* Acquire();
  void Record(const Slot& slot);
  void End(Slot& slot);
  bool Send(Slot& slot, HANDLE event, ApcRoutine apc);
  void SendAsynchronously(int rate);
  void SendInThreads();
  void Print(double seconds);

  static inline Loop* instance_ = nullptr;

  const std::string_view form_;
  const int rate_;
  const int seconds_;
  const IcmpApi api_ = SystemIcmpApi();
  const HANDLE icmp_ = api_.create_file();
  std::atomic<std::int64_t> sent_{0};
  std::atomic<std::int64_t> starved_{0};
  std::atomic<std::int64_t> end_ticks_{0};

  Mutex mutex_;
  std::vector<std::unique_ptr<Slot>> slots_ GUARDED_BY(mutex_);
  std::vector<Slot*> free_ GUARDED_BY(mutex_);
  std::vector<double> measured_ms_ GUARDED_BY(mutex_);
  std::vector<double> rtts_ms_ GUARDED_BY(mutex_);
  std::int64_t replies_ GUARDED_BY(mutex_) = 0;
};

Slot* Loop::Acquire() {
  MutexLock lock(mutex_);
  if (free_.empty() && slots_.size() < kSlots) {
    slots_.push_back(std::make_unique<Slot>());
    Slot& slot = *slots_.back();
    if (form_ == "persistent") {
      RegisterWaitForSingleObject(&slot.wait, slot.event, &OnSignal, &slot,
                                  INFINITE, WT_EXECUTEDEFAULT);
    }
    return &slot;
  }
  if (free_.empty()) return nullptr;
  Slot* const slot = free_.back();
  free_.pop_back();
  return slot;
}

void Loop::Record(const Slot& slot) {
  const std::int64_t ticks = NowTicks() - slot.sent_ticks;
  const auto& reply = *reinterpret_cast<const EchoReplyV4*>(slot.reply);
  const double measured_ms =
      1e3 * static_cast<double>(ticks) / static_cast<double>(TicksPerSecond());
  MutexLock lock(mutex_);
  measured_ms_.push_back(measured_ms);
  if (reply.status != 0) return;
  ++replies_;
  const Nanoseconds measured(static_cast<std::int64_t>(1e6 * measured_ms));
  const Nanoseconds rtt = ReconcileRtt(measured, reply.round_trip_ms).rtt;
  rtts_ms_.push_back(1e-6 * static_cast<double>(rtt.count()));
}

void Loop::End(Slot& slot) {
  Record(slot);
  MutexLock lock(mutex_);
  free_.push_back(&slot);
}

bool Loop::Send(Slot& slot, HANDLE event, ApcRoutine apc) {
  static std::uint8_t payload[kPayloadSize] = {};
  IpOptions options{};
  options.ttl = 128;
  const auto number = static_cast<ULONG>(sent_++ % kDestinations);
  slot.sent_ticks = NowTicks();
  const DWORD replies = api_.send_echo(
      icmp_, event, apc, &slot, 0, htonl(0x7F000001U + number), payload,
      kPayloadSize, &options, slot.reply, sizeof(slot.reply), kTimeoutMs);
  return replies > 0 || GetLastError() == ERROR_IO_PENDING;
}

void Loop::SendAsynchronously(int rate) {
  const HANDLE timer = CreateWaitableTimerExW(
      nullptr, nullptr, 2 /* high resolution */, TIMER_ALL_ACCESS);
  const bool apc_form = form_ == "apc";
  ApcRoutine apc = api_.wine ? &IgnoreApc : nullptr;
  if (apc_form) apc = &OnApc;
  const std::int64_t start = NowTicks();
  const std::int64_t total = std::int64_t{rate} * seconds_;
  std::int64_t sent = 0;
  while (sent < total) {
    const std::int64_t due = std::min<std::int64_t>(
        total, (NowTicks() - start) * rate / TicksPerSecond() + 1);
    while (sent < due) {
      Slot* const slot = Acquire();
      if (slot == nullptr) {
        ++starved_;
        break;
      }
      ++sent;
      if (form_ == "once") {
        if (slot->wait != nullptr) UnregisterWaitEx(slot->wait, nullptr);
        RegisterWaitForSingleObject(&slot->wait, slot->event, &OnSignal, slot,
                                    INFINITE, WT_EXECUTEONLYONCE);
      }
      if (!Send(*slot, apc_form ? nullptr : slot->event, apc)) End(*slot);
    }
    LARGE_INTEGER wait;
    wait.QuadPart = -10'000'000LL / rate;
    SetWaitableTimer(timer, &wait, 0, nullptr, nullptr, FALSE);
    WaitForSingleObjectEx(timer, INFINITE, TRUE);
  }
  end_ticks_ = NowTicks();
  for (int i = 0; i < 200; ++i) SleepEx(10, TRUE);  // what is in flight
}

void Loop::SendInThreads() {
  // Each thread paces itself; together they have the rate.
  constexpr int kThreads = 64;
  const std::int64_t start = NowTicks();
  const std::int64_t per_thread = std::int64_t{rate_} * seconds_ / kThreads;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, start, per_thread] {
      Slot& slot = *Acquire();
      for (std::int64_t i = 0; i < per_thread; ++i) {
        const std::int64_t due =
            start + (i * kThreads + t) * TicksPerSecond() / rate_;
        const std::int64_t wait_ms =
            (due - NowTicks()) * 1000 / TicksPerSecond();
        if (wait_ms > 0) Sleep(static_cast<DWORD>(wait_ms));
        Send(slot, nullptr, nullptr);
        Record(slot);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  end_ticks_ = NowTicks();
}

int Loop::Run() {
  instance_ = this;
  const std::int64_t start_ticks = NowTicks();
  if (form_ == "sync") {
    SendInThreads();
  } else if (form_ == "apc") {
    SendAsynchronously(rate_);  // only the thread that sent gets the APC
  } else {
    std::vector<std::thread> threads;
    for (int i = 0; i < kSenders; ++i) {
      threads.emplace_back([this] { SendAsynchronously(rate_ / kSenders); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  Print(static_cast<double>(end_ticks_ - start_ticks) /
        static_cast<double>(TicksPerSecond()));
  return 0;
}

double Quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(
      share * static_cast<double>(values.size() - 1))];
}

void Loop::Print(double seconds) {
  FILETIME created, exited, kernel, user;
  GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &user);
  const double cpu = static_cast<double>(kernel.dwLowDateTime) / 1e7 +
                     static_cast<double>(user.dwLowDateTime) / 1e7;
  MutexLock lock(mutex_);
  std::printf(
      "form=%s rate=%d per_second=%.0f sent=%lld replies=%lld starved=%lld "
      "cpu_seconds=%.3f "
      "cpu_us_per_echo=%.1f measured_p50_ms=%.3f measured_p99_ms=%.3f "
      "rtt_p50_ms=%.3f rtt_p99_ms=%.3f\n",
      form_.data(), rate_, static_cast<double>(sent_.load()) / seconds,
      static_cast<long long>(sent_.load()), static_cast<long long>(replies_),
      static_cast<long long>(starved_.load()), cpu,
      cpu * 1e6 / static_cast<double>(sent_.load()),
      Quantile(measured_ms_, 0.5), Quantile(measured_ms_, 0.99),
      Quantile(rtts_ms_, 0.5), Quantile(rtts_ms_, 0.99));
  std::fflush(stdout);
  // Without destructors: the system may still have slots.
  std::_Exit(0);
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  if (argc != 4 || std::atoi(argv[2]) <= 0 || std::atoi(argv[3]) <= 0) {
    std::fprintf(stderr,
                 "usage: icmp_call_forms persistent|once|apc|sync RATE "
                 "SECONDS\n");
    return 2;
  }
  static echo_exporter::Loop loop(argv[1], std::atoi(argv[2]),
                                  std::atoi(argv[3]));
  return loop.Run();
}
