#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_ENGINE_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_ENGINE_WINDOWS_H_

#include <cstddef>
#include <cstdint>
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

/// What one request in flight needs. Made once and used again and again; the
/// system may write to it until its event is signalled.
struct EchoSlot {
  enum class State : std::uint8_t {
    kFree,     ///< the system is done with it
    kQueued,   ///< waits for a sender
    kPending,  ///< the system has it; no result was given yet
    kEnding,   ///< taken back, on its way to kFree
    kOverdue,  ///< the watchdog gave its result; the queue or the system has it
  };

  explicit EchoSlot(EchoEngine& engine) : owner(engine) {}
  ~EchoSlot() { Unregister(); }
  EchoSlot(const EchoSlot&) = delete;
  EchoSlot& operator=(const EchoSlot&) = delete;

  /// Waits for a callback under way, so it is never called from inside one,
  /// nor with a lock that a callback takes.
  void Unregister();

  EchoEngine& owner;

  // Guarded by the engine's mutex.
  State state = State::kFree;
  std::uint64_t use = 0;         ///< number of the request it serves or served
  std::int64_t begun_ticks = 0;  ///< when its state began
  std::int64_t overdue_ticks = 0;  ///< when that has lasted too long

  // Of the sender until the request is sent, then of whoever ends it.
  EchoRequest request;
  std::int64_t sent_ticks = 0;
  EchoBuffer buffer;

  UniqueKernelHandle event;
  HANDLE wait = nullptr;
};

/// The slots, and everything that the system's callbacks touch. Apart from the
/// transport so that it can outlive it when the system does not give a request
/// back.
///
/// Open() comes first and Close() last; everything between is thread-safe.
/// Owned through EchoEngineOwner, which closes it.
class EchoEngine {
 public:
  EchoEngine(const IcmpApi& api, const EchoTransportOptions& options,
             EchoTransport::Callback callback);
  /// Requires that Close() has said true.
  ~EchoEngine();
  EchoEngine(const EchoEngine&) = delete;
  EchoEngine& operator=(const EchoEngine&) = delete;

  Status Open();
  void Send(const EchoRequest& request);
  bool Drain(Nanoseconds limit);

  /// For the watchdog: ends as kTimeout what the system should have given back
  /// by now and as kNoResources what no sender has come to in time; or, with
  /// `all`, whatever has no result as kTimeout.
  void ExpireOverdue(bool all);

  /// Ends what is left and the senders. False when the system has not given
  /// back everything, or holds a sender in a call: the engine must then stay
  /// for ever, because the system may yet use it.
  bool Close();

  std::size_t in_flight();
  std::size_t max_in_flight() const { return max_in_flight_; }
  bool has_v4() const { return icmp4_ != INVALID_HANDLE_VALUE; }
  bool has_v6() const { return icmp6_ != INVALID_HANDLE_VALUE; }

 private:
  friend struct EchoSlot;

  /// What falls to the one who takes a request back from the system.
  enum class Claim : std::uint8_t {
    kNothing,  ///< another has it
    kSlot,     ///< to make the slot free; the watchdog has given the result
    kResult,   ///< to give the result, and to make the slot free
  };

  static void CALLBACK OnSignal(void* context, BOOLEAN timed_out);

  static DWORD WINAPI SenderThread(void* engine);

  EchoSlot* Begin(const EchoRequest& request);
  void RunSender();
  bool SendersHaveEnded() const;
  void SendNow(EchoSlot& slot);
  bool Arm(EchoSlot& slot);
  DWORD CallSend(EchoSlot& slot, DWORD* error);
  void OnEvent(EchoSlot& slot, std::int64_t ticks);
  Claim TakeBack(EchoSlot& slot, std::uint64_t use);
  Claim LeaveQueue(EchoSlot& slot);
  void Finish(EchoSlot& slot, Claim claim, EchoResult result);
  std::size_t Count(EchoSlot::State state) const REQUIRES(mutex_);

  std::int64_t NowTicks() const;
  std::int64_t TicksOf(Nanoseconds duration) const;
  Nanoseconds Elapsed(std::int64_t from, std::int64_t to) const;

  // Constant after Open().
  const IcmpApi api_;
  const std::size_t max_in_flight_;
  const Nanoseconds grace_;
  const EchoTransport::Callback callback_;
  std::int64_t ticks_per_second_ = 1;
  HANDLE icmp4_ = INVALID_HANDLE_VALUE;
  HANDLE icmp6_ = INVALID_HANDLE_VALUE;
  std::vector<UniqueKernelHandle> senders_;

  SendQueue<EchoSlot> queue_;

  Mutex mutex_;
  CondVar idle_;
  std::vector<std::unique_ptr<EchoSlot>> slots_ GUARDED_BY(mutex_);
  std::vector<EchoSlot*> free_ GUARDED_BY(mutex_);
  std::size_t in_flight_ GUARDED_BY(mutex_) = 0;
  /// Number of the last request. From a random one on, because it is also the
  /// payload's cookie: no two processes send the same.
  std::uint64_t uses_ GUARDED_BY(mutex_);
};

/// Closes, and deletes unless the system still has to do with the engine: also
/// when an exception ends what has only half begun.
struct EchoEngineCloser {
  void operator()(EchoEngine* engine) const {
    if (engine->Close()) delete engine;
  }
};
using EchoEngineOwner = std::unique_ptr<EchoEngine, EchoEngineCloser>;

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_ENGINE_WINDOWS_H_
