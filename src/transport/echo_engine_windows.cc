#include "src/transport/echo_engine_windows.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <random>
#include <string>
#include <utility>

#include "src/base/thread_priority.h"
#include "src/transport/echo_buffer_windows.h"

namespace echo_exporter {
namespace {

// Wine's driver serves 256 requests at once and loses further ones.
constexpr std::size_t kWineMaxInFlight = 240;
// How many sends may each leave an APC queued on a sender under Wine.
constexpr std::uint64_t kSendsPerAlertableMoment = 64;

// A call takes as long as the system takes to queue a packet, filters of
// firewalls included, and may block: other senders continue meanwhile. More
// than half the processors would only take them from the callbacks.
std::size_t SenderCount(unsigned processors) {
  return std::clamp<std::size_t>(processors / 2, 2, 8);
}

// How long a request may wait for a sender: as long as for its reply, within
// these limits. The lower one is more than busy senders need, whatever the
// timeout. The upper one bounds the burst after the system has blocked them.
constexpr Nanoseconds kShortestQueueing = std::chrono::milliseconds(100);
constexpr Nanoseconds kLongestQueueing = std::chrono::seconds(1);
// How long a sender may take to return from its last call.
constexpr DWORD kSenderGraceMs = 1000;

// How many slots the watchdog deals with while it holds the lock, which
// callbacks need. Their wait for it, some 20 us, is part of the next RTT.
constexpr std::size_t kSlotsPerLock = 1024;
// Free slots are kept for twice the most that were in use in the last one to
// two of these periods.
constexpr Nanoseconds kPeakPeriod = std::chrono::minutes(1);

std::uint64_t RandomNumber() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32 | device();
}

}  // namespace

void EchoSlot::Unregister() {
  if (wait == nullptr) return;
  owner.api_.unregister_wait(std::exchange(wait, nullptr),
                             INVALID_HANDLE_VALUE);
}

EchoEngine::EchoEngine(const IcmpApi& api, const EchoTransportOptions& options,
                       EchoTransport::Callback callback)
    : api_(api),
      max_in_flight_(std::min(
          options.max_in_flight,
          api.wine ? kWineMaxInFlight : kEchoTransportTraits.max_in_flight)),
      grace_(options.overdue_grace),
      suspended_time_(options.suspended_time),
      callback_(std::move(callback)),
      uses_(RandomNumber()) {
  expired_.reserve(kSlotsPerLock);
  LARGE_INTEGER frequency;
  api_.query_frequency(&frequency);
  ticks_per_second_ = frequency.QuadPart;
}

EchoEngine::~EchoEngine() {
  slots_.clear();
  // With requests in flight this call would block until they end.
  if (has_v4()) api_.close_handle(icmp4_);
  if (has_v6()) api_.close_handle(icmp6_);
}

Status EchoEngine::Open() {
  icmp4_ = api_.create_file();
  const DWORD error4 = icmp4_ == INVALID_HANDLE_VALUE ? GetLastError() : 0;
  if (api_.create_file6 != nullptr && api_.send_echo6 != nullptr) {
    icmp6_ = api_.create_file6();
  }
  if (!has_v4() && !has_v6()) {
    return Error{ErrorCode::kUnavailable,
                 "opening the ICMP device: IcmpCreateFile: error (" +
                     std::to_string(error4) + ")"};
  }
  while (senders_.size() < SenderCount(api_.processors)) {
    // Not a std::thread, which cannot be joined with a timeout: a thread whose
    // system call does not return is abandoned.
    UniqueKernelHandle sender(
        CreateThread(nullptr, 0, &SenderThread, this, 0, nullptr));
    if (!sender) {
      return Error{ErrorCode::kExhausted, "starting a sender thread: error (" +
                                              std::to_string(GetLastError()) +
                                              ")"};
    }
    senders_.push_back(std::move(sender));
  }
  return std::monostate{};
}

Nanoseconds EchoEngine::Elapsed(std::int64_t from, std::int64_t to) const {
  const std::int64_t ticks = std::max<std::int64_t>(to - from, 0);
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return Nanoseconds(ticks / ticks_per_second_ * kNanoseconds +
                     ticks % ticks_per_second_ * kNanoseconds /
                         ticks_per_second_);
}

std::int64_t EchoEngine::TicksOf(Nanoseconds duration) const {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  return std::chrono::duration_cast<std::chrono::microseconds>(duration)
             .count() *
         ticks_per_second_ / kMicroseconds;
}

std::int64_t EchoEngine::NowTicks() const {
  LARGE_INTEGER ticks;
  api_.query_counter(&ticks);
  return ticks.QuadPart;
}

std::size_t EchoEngine::in_flight() {
  MutexLock lock(mutex_);
  return in_flight_;
}

void EchoEngine::Send(const EchoRequest& request) {
  EchoSlot* const slot = Begin(request);
  if (slot != nullptr) {
    queue_.Push(slot);
    return;
  }
  EchoResult result;
  result.tag = request.tag;
  result.outcome = EchoOutcome::kNoResources;
  callback_(result);
}

// Assigns a slot to the request; null when there is none.
EchoSlot* EchoEngine::Begin(const EchoRequest& request) {
  const Nanoseconds suspended = suspended_time_();
  MutexLock lock(mutex_);
  if (free_.front() == nullptr) {
    if (slots_.size() >= max_in_flight_) return nullptr;
    slots_.push_back(std::make_unique<EchoSlot>(*this));
    slots_.back()->index = slots_.size() - 1;
    free_.Push(slots_.back().get());
  }
  EchoSlot* const slot = free_.Pop();
  peak_ = std::max(peak_, slots_.size() - free_.size());
  ++slot->senders;
  slot->request = request;
  slot->suspended = suspended;
  slot->use = ++uses_;
  slot->state = EchoSlot::State::kQueued;
  slot->begun_ticks = NowTicks();
  slot->overdue_ticks =
      slot->begun_ticks +
      TicksOf(std::clamp(request.timeout, kShortestQueueing, kLongestQueueing));
  ++in_flight_;
  return slot;
}

DWORD WINAPI EchoEngine::SenderThread(void* engine) {
  const RaisedThreadPriority raised;
  static_cast<EchoEngine*>(engine)->RunSender();
  return 0;
}

void EchoEngine::RunSender() {
  std::uint64_t sends = 0;
  while (EchoSlot* const slot = queue_.Pop()) {
    SendNow(*slot);
    --slot->senders;
    if (api_.wine && ++sends % kSendsPerAlertableMoment == 0) {
      SleepEx(0, TRUE);
    }
  }
}

bool EchoEngine::SendersHaveEnded() const {
  std::vector<HANDLE> handles;
  for (const UniqueKernelHandle& sender : senders_) {
    handles.push_back(sender.get());
  }
  // WAIT_OBJECT_0 is 0, and failures are larger values.
  return handles.empty() ||
         WaitForMultipleObjects(static_cast<DWORD>(handles.size()),
                                handles.data(), TRUE,
                                kSenderGraceMs) < handles.size();
}

void EchoEngine::SendNow(EchoSlot& slot) {
  // Also the payload's cookie, which differs between requests.
  const std::uint64_t use = slot.use;
  EchoResult result;
  result.outcome = EchoOutcome::kNoResources;
  if (const Claim claim = LeaveQueue(slot); claim != Claim::kNothing) {
    Finish(slot, claim, result);
    return;
  }
  if (!Arm(slot)) {
    Finish(slot, TakeBack(slot, use), result);
    return;
  }
  const EchoCallReturn returned =
      CallEcho(api_, slot.request.destination.is_v4() ? icmp4_ : icmp6_,
               slot.event.get(), slot.request, slot.buffer, &slot.sent_ticks);
  if (returned.IsPending()) return;
  const std::int64_t ticks = NowTicks();
  const Claim claim = TakeBack(slot, use);
  if (claim == Claim::kNothing) return;
  if (returned.replies == 0) {
    // The system does not signal the event of a request that it refuses, so
    // that the wait can serve the next one. Registering it again would take
    // several times as long as the call, just when every request is refused.
    result.outcome =
        OutcomeOfStatus(returned.error, slot.request.destination.version());
    result.os_code = returned.error;
    Finish(slot, claim, result);
    return;
  }
  result = slot.buffer.Read(Elapsed(slot.sent_ticks, ticks));
  // Whether the event was signalled as well is not documented: a remaining
  // signal would end the slot's next request. So the slot stays in use until
  // the signal's callback, if there is one, has returned without effect; a new
  // wait on a reset event cannot receive that signal.
  slot.Unregister();
  ResetEvent(slot.event.get());
  Finish(slot, claim, result);
}

// Prepares the slot's buffer, and creates its event and wait if necessary.
bool EchoEngine::Arm(EchoSlot& slot) {
  try {
    slot.buffer.Prepare(slot.request, slot.use);
  } catch (const std::bad_alloc&) {
    return false;
  }
  if (!slot.event) {
    slot.event.reset(api_.create_event(nullptr, FALSE, FALSE, nullptr));
  }
  if (!slot.event) return false;
  if (slot.wait != nullptr) return true;
  HANDLE wait = nullptr;
  if (!api_.register_wait(&wait, slot.event.get(), &OnSignal, &slot, INFINITE,
                          WT_EXECUTEDEFAULT)) {
    return false;
  }
  slot.wait = wait;
  return true;
}

void CALLBACK EchoEngine::OnSignal(void* context, BOOLEAN) {
  EchoSlot& slot = *static_cast<EchoSlot*>(context);
  // The first step: any earlier work would count as round-trip time.
  const std::int64_t ticks = slot.owner.NowTicks();
  slot.owner.OnEvent(slot, ticks);
}

void EchoEngine::OnEvent(EchoSlot& slot, std::int64_t ticks) {
  // The slot cannot belong to another request yet: it is freed either by this
  // callback, or by a sender that has waited for the callback.
  const Claim claim = TakeBack(slot, slot.use);
  if (claim == Claim::kNothing) return;
  Finish(slot, claim, slot.buffer.Read(Elapsed(slot.sent_ticks, ticks)));
}

// To be called when the system does not use the request number `use` (any
// more). Exactly one caller gets a claim other than kNothing, and must then
// call Finish().
EchoEngine::Claim EchoEngine::TakeBack(EchoSlot& slot, std::uint64_t use) {
  MutexLock lock(mutex_);
  if (slot.use != use) return Claim::kNothing;
  const EchoSlot::State state = slot.state;
  if (state != EchoSlot::State::kPending &&
      state != EchoSlot::State::kOverdue) {
    return Claim::kNothing;
  }
  slot.state = EchoSlot::State::kEnding;
  return state == EchoSlot::State::kPending ? Claim::kResult : Claim::kSlot;
}

// kNothing when the request is to be sent; from here on it counts as sent.
EchoEngine::Claim EchoEngine::LeaveQueue(EchoSlot& slot) {
  MutexLock lock(mutex_);
  const std::int64_t now = NowTicks();
  if (slot.state == EchoSlot::State::kQueued && now < slot.overdue_ticks) {
    slot.state = EchoSlot::State::kPending;
    slot.begun_ticks = now;
    slot.overdue_ticks = now + TicksOf(slot.request.timeout + grace_);
    return Claim::kNothing;
  }
  const bool has_result = slot.state == EchoSlot::State::kOverdue;
  slot.state = EchoSlot::State::kEnding;
  return has_result ? Claim::kSlot : Claim::kResult;
}

EchoOutcome EchoEngine::OutcomeOf(const EchoSlot& slot, Nanoseconds suspended,
                                  EchoOutcome otherwise) {
  return suspended - slot.suspended > kShortestSuspension
             ? EchoOutcome::kSuspended
             : otherwise;
}

void EchoEngine::Finish(EchoSlot& slot, Claim claim, EchoResult result) {
  if (claim == Claim::kResult) {
    result.tag = slot.request.tag;
    result.outcome = OutcomeOf(slot, suspended_time_(), result.outcome);
    callback_(result);
  }
  MutexLock lock(mutex_);
  slot.state = EchoSlot::State::kFree;
  free_.Push(&slot);
  if (claim == Claim::kResult) --in_flight_;
  if (in_flight_ == 0) idle_.NotifyAll();
}

void EchoEngine::ExpireOverdue(bool all) {
  for (std::size_t first = 0; ExpireSome(first, all); first += kSlotsPerLock) {
    if (expired_.empty()) continue;
    for (const EchoResult& result : expired_) callback_(result);
    MutexLock lock(mutex_);
    in_flight_ -= expired_.size();
    if (in_flight_ == 0) idle_.NotifyAll();
  }
}

// Of the slots from `first` on, false when there are none. Slots do not move
// meanwhile: it is the same thread that releases them.
bool EchoEngine::ExpireSome(std::size_t first, bool all) {
  expired_.clear();
  MutexLock lock(mutex_);
  if (first >= slots_.size()) return false;
  // In this order: what is overdue because of a suspension is known to be.
  const std::int64_t now = NowTicks();
  const Nanoseconds suspended = suspended_time_();
  const std::size_t end = std::min(first + kSlotsPerLock, slots_.size());
  for (std::size_t i = first; i < end; ++i) {
    EchoSlot& slot = *slots_[i];
    const bool queued = slot.state == EchoSlot::State::kQueued;
    if (!queued && slot.state != EchoSlot::State::kPending) continue;
    if (!all && slot.overdue_ticks > now) continue;
    slot.state = EchoSlot::State::kOverdue;
    EchoResult& result = expired_.emplace_back();
    result.tag = slot.request.tag;
    // A request that was never sent is not a loss.
    result.outcome = OutcomeOf(
        slot, suspended,
        queued && !all ? EchoOutcome::kNoResources : EchoOutcome::kTimeout);
    if (!queued) result.rtt = Elapsed(slot.begun_ticks, now);
  }
  return true;
}

void EchoEngine::ReleaseUnused() {
  // Each is destroyed without the lock, because that waits for callbacks.
  for (std::size_t i = 0; i < kSlotsPerLock && TakeUnused() != nullptr;) ++i;
}

std::unique_ptr<EchoSlot> EchoEngine::TakeUnused() {
  MutexLock lock(mutex_);
  const std::int64_t now = NowTicks();
  if (now - peak_ticks_ >= TicksOf(kPeakPeriod)) {
    peak_ticks_ = now;
    previous_peak_ = std::exchange(peak_, slots_.size() - free_.size());
  }
  if (slots_.size() <= 2 * std::max(peak_, previous_peak_) ||
      free_.front() == nullptr || free_.front()->senders > 0) {
    return nullptr;
  }
  const std::size_t index = free_.Pop()->index;
  slots_.back()->index = index;
  std::swap(slots_[index], slots_.back());
  std::unique_ptr<EchoSlot> unused = std::move(slots_.back());
  slots_.pop_back();
  return unused;
}

bool EchoEngine::Drain(Nanoseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (in_flight_ > 0) {
    if (!idle_.WaitUntil(mutex_, deadline)) break;
  }
  return in_flight_ == 0;
}

bool EchoEngine::Close() {
  ExpireOverdue(/*all=*/true);
  queue_.Close();
  const bool senders_have_ended = SendersHaveEnded();
  MutexLock lock(mutex_);
  // Waits for callbacks that are running.
  while (Count(EchoSlot::State::kEnding) > 0) idle_.Wait(mutex_);
  return senders_have_ended && Count(EchoSlot::State::kFree) == slots_.size();
}

std::size_t EchoEngine::Count(EchoSlot::State state) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      slots_, [state](const auto& slot) { return slot->state == state; }));
}

}  // namespace echo_exporter
