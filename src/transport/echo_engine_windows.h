#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"
#include "src/base/unique_handle_windows.h"
#include "src/transport/echo_buffer_windows.h"
#include "src/transport/icmp_api_windows.h"
#include "src/transport/send_queue_windows.h"

namespace echo_exporter {

class EchoEngine;

/// The resources of one request in flight. Reused; the system may write to it
/// until its event is signalled.
struct EchoSlot {
  enum class State : std::uint8_t {
    kFree,     ///< not in use by a request or the system
    kQueued,   ///< waiting for a sender
    kPending,  ///< in use by the system; no result was reported yet
    kEnding,   ///< taken back, about to become kFree
    kOverdue,  ///< result reported by the watchdog; still queued or pending
  };

  explicit EchoSlot(EchoEngine& engine) : owner(engine) {}
  ~EchoSlot() { Unregister(); }
  EchoSlot(const EchoSlot&) = delete;
  EchoSlot& operator=(const EchoSlot&) = delete;

  /// Waits for a running callback, so it must not be called from inside one,
  /// nor with a lock that a callback takes.
  void Unregister();

  EchoEngine& owner;
  EchoSlot* next = nullptr;  ///< the queue's that it is in

  // Guarded by the engine's mutex.
  State state = State::kFree;
  std::uint64_t use = 0;           ///< number of its current or last request
  std::int64_t begun_ticks = 0;    ///< when its state began
  std::int64_t overdue_ticks = 0;  ///< when its state has lasted too long
  std::size_t index = 0;           ///< among the engine's slots

  /// Senders that are not done with it. A call may still last when its request
  /// has ended.
  std::atomic<int> senders = 0;

  // Confined to the sender until the request is sent, then to the thread that
  // ends it.
  EchoRequest request;
  /// How long the machine had been suspended in total before the request.
  Nanoseconds suspended{};
  std::int64_t sent_ticks = 0;
  EchoBuffer buffer;

  UniqueKernelHandle event;
  HANDLE wait = nullptr;
};

/// The slots, and everything that the system's callbacks use. Separate from the
/// transport so that it can outlive it while the system does not complete a
/// request.
///
/// Open() is the first call and Close() the last; all calls between are
/// thread-safe. Owned through EchoEngineOwner, which closes it.
class EchoEngine {
 public:
  EchoEngine(const IcmpApi& api, const EchoTransportOptions& options,
             EchoTransport::Callback callback);
  /// Requires that Close() has returned true.
  ~EchoEngine();
  EchoEngine(const EchoEngine&) = delete;
  EchoEngine& operator=(const EchoEngine&) = delete;

  Status Open();
  void Send(const EchoRequest& request);
  bool Drain(Nanoseconds limit);

  /// For the watchdog: ends requests that the system should have completed by
  /// now as kTimeout, and requests that no sender has sent in time as
  /// kNoResources; with `all`, all requests without a result as kTimeout.
  void ExpireOverdue(bool all);

  /// For the watchdog: releases some of the slots that are free and have not
  /// been needed for minutes.
  void ReleaseUnused();

  /// Ends remaining requests and the senders. False when the system has not
  /// completed all requests, or a sender's call has not returned: the engine
  /// must then never be destroyed, because the system may still use it.
  bool Close();

  std::size_t in_flight();
  std::size_t max_in_flight() const { return max_in_flight_; }
  bool has_v4() const { return icmp4_ != INVALID_HANDLE_VALUE; }
  bool has_v6() const { return icmp6_ != INVALID_HANDLE_VALUE; }

 private:
  friend struct EchoSlot;

  /// The task of a thread that takes a request back from the system.
  enum class Claim : std::uint8_t {
    kNothing,  ///< none: another thread has claimed the request
    kSlot,     ///< free the slot; the watchdog has reported the result
    kResult,   ///< report the result, and free the slot
  };

  static void CALLBACK OnSignal(void* context, BOOLEAN timed_out);

  static DWORD WINAPI SenderThread(void* engine);

  EchoSlot* Begin(const EchoRequest& request);
  void RunSender();
  bool SendersHaveEnded() const;
  void SendNow(EchoSlot& slot);
  bool Arm(EchoSlot& slot);
  void OnEvent(EchoSlot& slot, std::int64_t ticks);
  Claim TakeBack(EchoSlot& slot, std::uint64_t use);
  Claim LeaveQueue(EchoSlot& slot);
  void Finish(EchoSlot& slot, Claim claim, EchoResult result);
  bool ExpireSome(std::size_t first, bool all);
  std::unique_ptr<EchoSlot> TakeUnused();
  std::size_t Count(EchoSlot::State state) const REQUIRES(mutex_);

  /// `otherwise`, unless the machine was suspended since the request.
  static EchoOutcome OutcomeOf(const EchoSlot& slot, Nanoseconds suspended,
                               EchoOutcome otherwise);
  std::int64_t NowTicks() const;
  std::int64_t TicksOf(Nanoseconds duration) const;
  Nanoseconds Elapsed(std::int64_t from, std::int64_t to) const;

  // Constant after Open().
  const IcmpApi api_;
  const std::size_t max_in_flight_;
  const Nanoseconds grace_;
  const std::function<Nanoseconds()> suspended_time_;
  const EchoTransport::Callback callback_;
  std::int64_t ticks_per_second_ = 1;
  HANDLE icmp4_ = INVALID_HANDLE_VALUE;
  HANDLE icmp6_ = INVALID_HANDLE_VALUE;
  std::vector<UniqueKernelHandle> senders_;

  SendQueue<EchoSlot> queue_;

  /// Room for ExpireSome(), and confined to its thread.
  std::vector<EchoResult> expired_;

  Mutex mutex_;
  CondVar idle_;
  std::vector<std::unique_ptr<EchoSlot>> slots_ GUARDED_BY(mutex_);
  /// First in, first out: a callback that has just freed its slot has returned
  /// to the system, which watches the event again, before the slot's next use.
  LinkedQueue<EchoSlot> free_ GUARDED_BY(mutex_);
  /// The most slots in use since `peak_ticks_`, and in the period before.
  std::size_t peak_ GUARDED_BY(mutex_) = 0;
  std::size_t previous_peak_ GUARDED_BY(mutex_) = 0;
  std::int64_t peak_ticks_ GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ GUARDED_BY(mutex_) = 0;
  /// Number of the last request. It starts at a random number, because it is
  /// also the payload's cookie, which must differ between processes.
  std::uint64_t uses_ GUARDED_BY(mutex_);
};

/// Closes the engine, and deletes it unless the system may still use it; also
/// when an exception interrupts its construction.
struct EchoEngineCloser {
  void operator()(EchoEngine* engine) const {
    if (engine->Close()) delete engine;
  }
};
using EchoEngineOwner = std::unique_ptr<EchoEngine, EchoEngineCloser>;

/// CreateEchoTransport() with injected system calls, for tests with a scripted
/// system. The functions of `api` must outlive the transport, or stay valid
/// until the process ends if requests are still in flight at its end.
Result<std::unique_ptr<EchoTransport>> CreateWindowsEchoTransport(
    const IcmpApi& api, const EchoTransportOptions& options,
    EchoTransport::Callback callback);

}  // namespace echo_exporter
