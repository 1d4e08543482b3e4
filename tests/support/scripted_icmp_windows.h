#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"
#include "src/base/mutex.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

/// One call of IcmpSendEcho2Ex or Icmp6SendEcho2, with what the system was
/// given. The reply buffer and the event may be used until the request's owner
/// is told of its end.
struct IcmpCall {
  IpVersion version = IpVersion::kV4;
  HANDLE icmp = nullptr;
  HANDLE event = nullptr;
  ApcRoutine apc = nullptr;
  IpAddress source;
  IpAddress destination;
  std::string payload;
  IpOptions options{};
  std::uint8_t* reply = nullptr;
  DWORD reply_size = 0;
  DWORD timeout_ms = 0;
};

/// What a scripted call gives back.
struct IcmpReturn {
  DWORD replies = 0;
  DWORD last_error = ERROR_IO_PENDING;  ///< 0: left as it is
};

/// A system that does what the test says, behind the real function pointers.
/// Events, registered waits and the thread pool are the real ones, unless told
/// to fail or to hold back. Handles are made up and counted.
///
/// One at a time in a process. Thread-safe.
class ScriptedIcmp {
 public:
  ScriptedIcmp();
  ~ScriptedIcmp();
  ScriptedIcmp(const ScriptedIcmp&) = delete;
  ScriptedIcmp& operator=(const ScriptedIcmp&) = delete;

  /// The table to give to the transport.
  IcmpApi Api() const;

  /// Runs on the sender's thread for each call, once it is recorded. Without
  /// it, every request stays pending.
  void OnSend(std::function<IcmpReturn(IcmpCall&)> handler);

  /// What was sent so far; waits until it is at least `count`.
  std::vector<IcmpCall> WaitForCalls(std::size_t count);

  /// From now on, a signal's callback comes no further than to a thread of the
  /// pool, until it is delivered or somebody waits for it by unregistering.
  void HoldCallbacks();
  /// Waits until a callback is held.
  void WaitForHeldCallback();
  /// Runs what is held, on the calling thread, and holds no more.
  void DeliverHeldCallbacks();

  /// Moves the performance counter, which does not move by itself. It counts
  /// nanoseconds.
  void AdvanceClock(std::int64_t nanoseconds);
  /// The machine sleeps for so long: the counter counts that time.
  void Suspend(Nanoseconds duration);
  /// How long the machine has been suspended in total, for the transport.
  Nanoseconds SuspendedTime() const;

  // What the system refuses from now on.
  void FailCreateEvent(bool fail);
  void FailRegisterWait(bool fail);
  void FailOpen(bool fail);
  void SetWine(bool wine);
  void SetHasIpv6(bool has);
  void SetProcessors(unsigned processors);

  /// ICMP handles opened and not closed.
  int open_handles();
  /// Waits registered so far, and unregistered.
  int registrations() const { return registrations_; }
  int unregistrations() const { return unregistrations_; }

 private:
  struct Functions;

  mutable Mutex mutex_;
  CondVar changed_;
  std::function<IcmpReturn(IcmpCall&)> handler_ GUARDED_BY(mutex_);
  std::vector<IcmpCall> calls_ GUARDED_BY(mutex_);
  std::atomic<std::int64_t> clock_ = 1'000'000'000;
  std::atomic<std::int64_t> suspended_ = 0;
  std::atomic<int> registrations_ = 0;
  std::atomic<int> unregistrations_ = 0;
  bool fail_create_event_ GUARDED_BY(mutex_) = false;
  bool fail_register_wait_ GUARDED_BY(mutex_) = false;
  bool fail_open_ GUARDED_BY(mutex_) = false;
  int open_handles_ GUARDED_BY(mutex_) = 0;
  bool wine_ = false;
  bool has_ipv6_ = true;
  unsigned processors_ = 1;
};

/// Writes what the system writes for an answered IPv4 request: `data` as the
/// reply's payload behind the structure.
void WriteReplyV4(const IcmpCall& call, const IpAddress& responder,
                  std::uint32_t status, std::uint32_t round_trip_ms,
                  std::uint8_t ttl, const std::string& data);

/// The same for IPv6.
void WriteReplyV6(const IcmpCall& call, const IpAddress& responder,
                  std::uint32_t status, std::uint32_t round_trip_ms,
                  const std::string& data);

}  // namespace echo_exporter
