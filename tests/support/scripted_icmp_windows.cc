#include "tests/support/scripted_icmp_windows.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

namespace echo_exporter {
namespace {

// Atomic because callbacks of requests that were never given back may run when
// the test that made them, and its system, are gone.
std::atomic<ScriptedIcmp*> g_system = nullptr;

// A registered wait, with what was asked for and how often it is held back.
struct ScriptedWait {
  WAITORTIMERCALLBACK callback = nullptr;
  void* context = nullptr;
  HANDLE real = nullptr;
  int held = 0;
};

// The waits of all systems, and never destroyed: a wait may be unregistered
// when its system is gone, by a thread that the system held.
//
// Thread-safe.
class ScriptedWaits {
 public:
  static ScriptedWaits& Get() {
    static ScriptedWaits& waits = *new ScriptedWaits;
    return waits;
  }

  BOOL Register(HANDLE* handle, HANDLE object, WAITORTIMERCALLBACK callback,
                void* context, ULONG timeout_ms, ULONG flags) {
    MutexLock lock(mutex_);
    ScriptedWait& wait = waits_.emplace_back();
    wait.callback = callback;
    wait.context = context;
    *handle = &wait;
    return ::RegisterWaitForSingleObject(&wait.real, object, &OnSignal, &wait,
                                         timeout_ms, flags);
  }

  // With INVALID_HANDLE_VALUE for the completion: as the system does, waits
  // for what has begun, which is for what is held to run.
  BOOL Unregister(HANDLE handle) {
    auto& wait = *static_cast<ScriptedWait*>(handle);
    const BOOL unregistered =
        ::UnregisterWaitEx(wait.real, INVALID_HANDLE_VALUE);
    int held = 0;
    {
      MutexLock lock(mutex_);
      held = std::exchange(wait.held, 0);
    }
    for (; held > 0; --held) wait.callback(wait.context, FALSE);
    return unregistered;
  }

  void Hold(bool hold) {
    MutexLock lock(mutex_);
    hold_ = hold;
  }

  void WaitForHeld() {
    MutexLock lock(mutex_);
    while (!IsAnyHeld()) changed_.Wait(mutex_);
  }

  void Deliver() {
    std::vector<std::pair<WAITORTIMERCALLBACK, void*>> callbacks;
    {
      MutexLock lock(mutex_);
      hold_ = false;
      for (ScriptedWait& wait : waits_) {
        for (; wait.held > 0; --wait.held) {
          callbacks.emplace_back(wait.callback, wait.context);
        }
      }
    }
    for (const auto& [callback, context] : callbacks) callback(context, FALSE);
  }

 private:
  static void CALLBACK OnSignal(void* context, BOOLEAN timed_out) {
    auto& wait = *static_cast<ScriptedWait*>(context);
    if (!Get().HoldsBack(wait)) wait.callback(wait.context, timed_out);
  }

  bool HoldsBack(ScriptedWait& wait) {
    MutexLock lock(mutex_);
    if (!hold_) return false;
    ++wait.held;
    changed_.NotifyAll();
    return true;
  }

  bool IsAnyHeld() const REQUIRES(mutex_) {
    return std::ranges::any_of(
        waits_, [](const ScriptedWait& wait) { return wait.held > 0; });
  }

  Mutex mutex_;
  CondVar changed_;
  bool hold_ GUARDED_BY(mutex_) = false;
  // Never shorter: Wine 8 may run a callback after its wait is unregistered.
  std::deque<ScriptedWait> waits_ GUARDED_BY(mutex_);
};

HANDLE MadeUpHandle(std::uintptr_t number) {
  return reinterpret_cast<HANDLE>(number);
}

IpAddress FromIpAddr(ULONG address) {
  std::array<std::uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &address, bytes.size());
  return IpAddress::V4(bytes);
}

IpAddress FromSockaddr(const sockaddr_in6& address) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
  return IpAddress::V6(bytes, address.sin6_scope_id);
}

}  // namespace

// The system calls; friends of the system through nesting.
struct ScriptedIcmp::Functions {
  static ScriptedIcmp& System() { return *g_system; }

  static HANDLE Open(std::uintptr_t number) {
    MutexLock lock(System().mutex_);
    if (System().fail_open_) {
      SetLastError(ERROR_FILE_NOT_FOUND);
      return INVALID_HANDLE_VALUE;
    }
    ++System().open_handles_;
    return MadeUpHandle(number);
  }
  static HANDLE WINAPI CreateFile4() { return Open(4); }
  static HANDLE WINAPI CreateFile6() { return Open(6); }

  static BOOL WINAPI Close(HANDLE) {
    MutexLock lock(System().mutex_);
    --System().open_handles_;
    return TRUE;
  }

  static DWORD Send(IcmpCall call) {
    std::function<IcmpReturn(IcmpCall&)> handler;
    {
      MutexLock lock(System().mutex_);
      System().calls_.push_back(call);
      handler = System().handler_;
      System().changed_.NotifyAll();
    }
    const IcmpReturn result = handler ? handler(call) : IcmpReturn{};
    if (result.last_error != 0) SetLastError(result.last_error);
    return result.replies;
  }

  static DWORD WINAPI Send4(HANDLE icmp, HANDLE event, ApcRoutine apc, void*,
                            ULONG source, ULONG destination, void* data,
                            WORD data_size, IpOptions* options, void* reply,
                            DWORD reply_size, DWORD timeout_ms) {
    return Send({IpVersion::kV4, icmp, event, apc, FromIpAddr(source),
                 FromIpAddr(destination),
                 std::string(static_cast<const char*>(data), data_size),
                 *options, static_cast<std::uint8_t*>(reply), reply_size,
                 timeout_ms});
  }

  static DWORD WINAPI Send6(HANDLE icmp, HANDLE event, ApcRoutine apc, void*,
                            sockaddr_in6* source, sockaddr_in6* destination,
                            void* data, WORD data_size, IpOptions* options,
                            void* reply, DWORD reply_size, DWORD timeout_ms) {
    return Send({IpVersion::kV6, icmp, event, apc, FromSockaddr(*source),
                 FromSockaddr(*destination),
                 std::string(static_cast<const char*>(data), data_size),
                 *options, static_cast<std::uint8_t*>(reply), reply_size,
                 timeout_ms});
  }

  static HANDLE WINAPI CreateEvent(SECURITY_ATTRIBUTES* security, BOOL manual,
                                   BOOL initial, const wchar_t* name) {
    {
      MutexLock lock(System().mutex_);
      if (System().fail_create_event_) {
        SetLastError(ERROR_NO_SYSTEM_RESOURCES);
        return nullptr;
      }
    }
    return ::CreateEventW(security, manual, initial, name);
  }

  static BOOL WINAPI RegisterWait(HANDLE* wait, HANDLE object,
                                  WAITORTIMERCALLBACK callback, void* context,
                                  ULONG timeout_ms, ULONG flags) {
    {
      MutexLock lock(System().mutex_);
      if (System().fail_register_wait_) {
        SetLastError(ERROR_NO_SYSTEM_RESOURCES);
        return FALSE;
      }
    }
    ++System().registrations_;
    return ScriptedWaits::Get().Register(wait, object, callback, context,
                                         timeout_ms, flags);
  }

  static BOOL WINAPI UnregisterWait(HANDLE wait, HANDLE) {
    const BOOL unregistered = ScriptedWaits::Get().Unregister(wait);
    if (ScriptedIcmp* const system = g_system) ++system->unregistrations_;
    return unregistered;
  }

  static BOOL WINAPI Counter(LARGE_INTEGER* ticks) {
    SetLastError(ERROR_GEN_FAILURE);  // as a call that succeeds may
    ScriptedIcmp* const system = g_system;
    ticks->QuadPart = system == nullptr ? 0 : system->clock_.load();
    return TRUE;
  }

  static BOOL WINAPI Frequency(LARGE_INTEGER* ticks_per_second) {
    ticks_per_second->QuadPart = 1'000'000'000;
    return TRUE;
  }
};

ScriptedIcmp::ScriptedIcmp() {
  g_system = this;
  ScriptedWaits::Get().Hold(false);
}
ScriptedIcmp::~ScriptedIcmp() { g_system = nullptr; }

IcmpApi ScriptedIcmp::Api() const {
  IcmpApi api{};
  api.create_file = &Functions::CreateFile4;
  api.close_handle = &Functions::Close;
  api.send_echo = &Functions::Send4;
  if (has_ipv6_) {
    api.create_file6 = &Functions::CreateFile6;
    api.send_echo6 = &Functions::Send6;
  }
  api.create_event = &Functions::CreateEvent;
  api.register_wait = &Functions::RegisterWait;
  api.unregister_wait = &Functions::UnregisterWait;
  api.query_counter = &Functions::Counter;
  api.query_frequency = &Functions::Frequency;
  api.processors = processors_;
  api.wine = wine_;
  return api;
}

void ScriptedIcmp::OnSend(std::function<IcmpReturn(IcmpCall&)> handler) {
  MutexLock lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<IcmpCall> ScriptedIcmp::WaitForCalls(std::size_t count) {
  MutexLock lock(mutex_);
  while (calls_.size() < count) changed_.Wait(mutex_);
  return calls_;
}

void ScriptedIcmp::HoldCallbacks() { ScriptedWaits::Get().Hold(true); }
void ScriptedIcmp::WaitForHeldCallback() { ScriptedWaits::Get().WaitForHeld(); }
void ScriptedIcmp::DeliverHeldCallbacks() { ScriptedWaits::Get().Deliver(); }

void ScriptedIcmp::AdvanceClock(std::int64_t nanoseconds) {
  clock_ += nanoseconds;
}

void ScriptedIcmp::Suspend(Nanoseconds duration) {
  // In this order: who sees the counter jump sees why.
  suspended_ += duration.count();
  clock_ += duration.count();
}

Nanoseconds ScriptedIcmp::SuspendedTime() const {
  return Nanoseconds(suspended_);
}

void ScriptedIcmp::FailCreateEvent(bool fail) {
  MutexLock lock(mutex_);
  fail_create_event_ = fail;
}

void ScriptedIcmp::FailRegisterWait(bool fail) {
  MutexLock lock(mutex_);
  fail_register_wait_ = fail;
}

void ScriptedIcmp::FailOpen(bool fail) {
  MutexLock lock(mutex_);
  fail_open_ = fail;
}

void ScriptedIcmp::SetWine(bool wine) { wine_ = wine; }
void ScriptedIcmp::SetHasIpv6(bool has) { has_ipv6_ = has; }
void ScriptedIcmp::SetProcessors(unsigned processors) {
  processors_ = processors;
}

int ScriptedIcmp::open_handles() {
  MutexLock lock(mutex_);
  return open_handles_;
}

void WriteReplyV4(const IcmpCall& call, const IpAddress& responder,
                  std::uint32_t status, std::uint32_t round_trip_ms,
                  std::uint8_t ttl, const std::string& data) {
  EchoReplyV4 reply{};
  std::memcpy(&reply.address, responder.bytes().data(), sizeof(reply.address));
  reply.status = status;
  reply.round_trip_ms = round_trip_ms;
  reply.data_size = static_cast<std::uint16_t>(data.size());
  reply.data = call.reply + sizeof(reply);
  reply.options.ttl = ttl;
  std::memcpy(call.reply + sizeof(reply), data.data(), data.size());
  std::memcpy(call.reply, &reply, sizeof(reply));
}

void WriteReplyV6(const IcmpCall& call, const IpAddress& responder,
                  std::uint32_t status, std::uint32_t round_trip_ms,
                  const std::string& data) {
  EchoReplyV6 reply{};
  std::memcpy(reply.address, responder.bytes().data(), sizeof(reply.address));
  reply.scope_id = responder.scope_id();
  reply.status = status;
  reply.round_trip_ms = round_trip_ms;
  std::memcpy(call.reply + sizeof(reply), data.data(), data.size());
  std::memcpy(call.reply, &reply, sizeof(reply));
}

}  // namespace echo_exporter
