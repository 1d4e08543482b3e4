#include "src/transport/echo_engine_windows.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "src/transport/echo_status_windows.h"

namespace echo_exporter {
namespace {

// Wine's driver serves 256 requests at once and loses further ones.
constexpr std::size_t kWineMaxInFlight = 240;
// How many sends may each leave an APC queued on a sender under Wine.
constexpr std::uint64_t kSendsPerAlertableMoment = 64;

// A call takes as long as the system takes to queue a packet, and may block:
// a second sender continues meanwhile. More than two only wake each other.
constexpr std::size_t kSenders = 2;
// How long a request may wait for a sender: as long as for its reply, within
// these limits. The lower one is more than busy senders need, whatever the
// timeout. The upper one bounds the burst after the system has blocked them.
constexpr Nanoseconds kShortestQueueing = std::chrono::milliseconds(100);
constexpr Nanoseconds kLongestQueueing = std::chrono::seconds(1);
// How long a sender may take to return from its last call.
constexpr DWORD kSenderGraceMs = 1000;

void WINAPI IgnoreApc(void*, void*, ULONG) {}

ULONG ToIpAddr(const IpAddress& v4) {
  ULONG address;
  std::memcpy(&address, v4.bytes().data(), sizeof(address));
  return address;
}

sockaddr_in6 ToSockaddr(const IpAddress& v6) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  std::memcpy(&result.sin6_addr, v6.bytes().data(), v6.bytes().size());
  result.sin6_scope_id = v6.scope_id();
  return result;
}

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
      max_in_flight_(api.wine
                         ? std::min(options.max_in_flight, kWineMaxInFlight)
                         : options.max_in_flight),
      grace_(options.overdue_grace),
      callback_(std::move(callback)),
      uses_(RandomNumber()) {
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
  while (senders_.size() < kSenders) {
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
  MutexLock lock(mutex_);
  if (free_.empty()) {
    if (slots_.size() >= max_in_flight_) return nullptr;
    slots_.push_back(std::make_unique<EchoSlot>(*this));
    free_.push_back(slots_.back().get());
  }
  EchoSlot* const slot = free_.back();
  free_.pop_back();
  slot->request = request;
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
  static_cast<EchoEngine*>(engine)->RunSender();
  return 0;
}

void EchoEngine::RunSender() {
  std::uint64_t sends = 0;
  while (EchoSlot* const slot = queue_.Pop()) {
    SendNow(*slot);
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
  slot.buffer.Prepare(slot.request, use);
  if (!Arm(slot)) {
    Finish(slot, TakeBack(slot, use), result);
    return;
  }
  DWORD error = 0;
  const DWORD replies = CallSend(slot, &error);
  // 0 with a last error of 0 is not documented; if it means a failure, the
  // watchdog ends the request.
  if (replies == ERROR_IO_PENDING ||
      (replies == 0 && (error == ERROR_IO_PENDING || error == 0))) {
    return;
  }
  const std::int64_t ticks = NowTicks();
  const Claim claim = TakeBack(slot, use);
  if (claim == Claim::kNothing) return;
  if (replies > 0) {
    result = slot.buffer.Read(Elapsed(slot.sent_ticks, ticks));
  } else {
    result.outcome = OutcomeOfStatus(error, slot.request.destination.version());
    result.os_code = error;
  }
  // Whether the event was signalled as well is not documented: a remaining
  // signal would end the slot's next request. So the slot stays in use until
  // the signal's callback, if there is one, has returned without effect; a new
  // wait on a reset event cannot receive that signal.
  slot.Unregister();
  ResetEvent(slot.event.get());
  Finish(slot, claim, result);
}

// Creates the slot's event and its wait if necessary.
bool EchoEngine::Arm(EchoSlot& slot) {
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

DWORD EchoEngine::CallSend(EchoSlot& slot, DWORD* error) {
  const EchoRequest& request = slot.request;
  IpOptions options{};
  options.ttl = request.ttl;
  if (request.dont_fragment) options.flags = kFlagDontFragment;
  EchoBuffer& buffer = slot.buffer;
  const ApcRoutine apc = api_.wine ? &IgnoreApc : nullptr;
  const auto timeout_ms = static_cast<DWORD>(
      std::chrono::ceil<std::chrono::milliseconds>(request.timeout).count());

  // GetLastError() must be the very next call: anything between may set it.
  // Once the call is made, the slot may be another request's.
  if (request.destination.is_v4()) {
    const ULONG source = request.source ? ToIpAddr(*request.source) : 0;
    const ULONG destination = ToIpAddr(request.destination);
    slot.sent_ticks = NowTicks();
    const DWORD replies = api_.send_echo(
        icmp4_, slot.event.get(), apc, nullptr, source, destination,
        buffer.payload(), buffer.payload_size(), &options, buffer.reply(),
        buffer.reply_size(), timeout_ms);
    *error = GetLastError();
    return replies;
  }
  if (!has_v6()) {
    *error = ERROR_NOT_SUPPORTED;
    return 0;
  }
  sockaddr_in6 source = ToSockaddr(request.source.value_or(IpAddress::V6({})));
  sockaddr_in6 destination = ToSockaddr(request.destination);
  slot.sent_ticks = NowTicks();
  const DWORD replies = api_.send_echo6(
      icmp6_, slot.event.get(), apc, nullptr, &source, &destination,
      buffer.payload(), buffer.payload_size(), &options, buffer.reply(),
      buffer.reply_size(), timeout_ms);
  *error = GetLastError();
  return replies;
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

void EchoEngine::Finish(EchoSlot& slot, Claim claim, EchoResult result) {
  if (claim == Claim::kResult) {
    result.tag = slot.request.tag;
    callback_(result);
  }
  MutexLock lock(mutex_);
  slot.state = EchoSlot::State::kFree;
  free_.push_back(&slot);
  if (claim == Claim::kResult) --in_flight_;
  if (in_flight_ == 0) idle_.NotifyAll();
}

void EchoEngine::ExpireOverdue(bool all) {
  std::vector<EchoResult> results;
  {
    MutexLock lock(mutex_);
    const std::int64_t now = NowTicks();
    for (const auto& slot : slots_) {
      const bool queued = slot->state == EchoSlot::State::kQueued;
      if (!queued && slot->state != EchoSlot::State::kPending) continue;
      if (!all && slot->overdue_ticks > now) continue;
      slot->state = EchoSlot::State::kOverdue;
      EchoResult& result = results.emplace_back();
      result.tag = slot->request.tag;
      // A request that was never sent is not a loss.
      result.outcome =
          queued && !all ? EchoOutcome::kNoResources : EchoOutcome::kTimeout;
      if (!queued) result.rtt = Elapsed(slot->begun_ticks, now);
    }
  }
  for (const EchoResult& result : results) callback_(result);
  MutexLock lock(mutex_);
  in_flight_ -= results.size();
  if (in_flight_ == 0) idle_.NotifyAll();
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
