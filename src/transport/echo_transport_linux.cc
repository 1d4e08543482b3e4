#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"
#include "src/base/thread_priority.h"
#include "src/transport/arrival_reader_linux.h"
#include "src/transport/echo_status_linux.h"
#include "src/transport/icmp_sockets_linux.h"
#include "src/transport/request_matcher.h"

// Implementation notes
//
//  a) One socket per IP version serves all pairs, as far as IcmpSockets does
//     not say otherwise; the payload of a reply identifies its request: see
//     RequestMatcher.
//  b) Round-trip times end with the kernel's time stamp of the reply, so it
//     does not matter when this process reads it: the receiver pauses after
//     each batch and then reads everything that arrived meanwhile, many packets
//     per system call. They begin with the clock read right before the call of
//     send. The kernel's transmission time stamp would cost a second packet on
//     the error queue for every request.
//  c) A request times out, or ends by an ICMP error, only after everything that
//     had arrived by then was read: a delayed process loses no reply that
//     arrived in time, and of a reply and an error the first one counts.

namespace echo_exporter {
namespace {

// How long the receiver pauses after a batch. A longer pause saves nothing:
// with a batch of 50 packets, the cost of waking up per packet is small.
constexpr Nanoseconds kRest = std::chrono::milliseconds(1);

// After so many batches the receiver handles timeouts and stopping, even if
// there are more packets.
constexpr int kBatchesInARow = 64;

// How long after its reading the suspended time counts for requests: reading it
// costs as much as three looks at the clock.
constexpr Nanoseconds kSuspendedRead = std::chrono::milliseconds(10);

// The most retries of a send, when each finds new errors in the queue.
constexpr int kSendAgain = 100;
// The number of failures without a pending error as their cause, after which a
// failure is final. One in a thousand such failures is not the request's own,
// at 10,000 errors a second.
constexpr int kBelieved = 4;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

/// Unpredictable numbers. Confined to one thread.
class CookieSource {
 public:
  std::uint64_t Next() {
    if (used_ == numbers_.size()) {
      // A call for this many bytes fails only when it is interrupted while it
      // waits for the system's random source to be initialised (getrandom(2)).
      while (getrandom(numbers_.data(), sizeof(numbers_), 0) < 0) {
      }
      used_ = 0;
    }
    return numbers_[used_++];
  }

 private:
  // The most that one call returns without being interrupted.
  std::array<std::uint64_t, 32> numbers_;
  std::size_t used_ = numbers_.size();
};

class LinuxEchoTransport final : public EchoTransport {
 public:
  LinuxEchoTransport(const EchoTransportOptions& options, Callback callback,
                     std::unique_ptr<IcmpSockets> sockets);
  ~LinuxEchoTransport() override;

  void Send(const EchoRequest& request) override;
  bool Drain(Nanoseconds limit) override;
  std::size_t in_flight() const override { return in_flight_; }
  std::size_t max_in_flight() const override { return max_in_flight_; }
  bool Supports(IpVersion version) const override {
    return sockets_->Supports(version);
  }
  std::string Describe() const override;
  EchoTransportStats Stats() const override;
  bool NeedsRawSockets() const override { return sockets_->HasRaw(); }

 private:
  void Fail(const EchoRequest& request, int code);
  void Receive();
  SteadyTime WaitForArrivals();
  int SendBy(IcmpSocket& socket, const EchoRequest& request,
             RequestRecord& record);
  bool ReadAll(SteadyTime* horizon);
  bool ReadErrors(const IcmpSocket& socket, SteadyTime* last);
  void Classify(const ArrivalReader& reader,
                RequestMatcher::Verdicts* verdicts);
  void Report(RequestMatcher::Verdicts* verdicts);

  // Constant after construction.
  const std::size_t max_in_flight_;
  const Callback callback_;
  const std::function<void(std::uint64_t, StrayReply)> on_stray_reply_;
  const std::function<Nanoseconds()> suspended_time_;
  const std::unique_ptr<IcmpSockets> sockets_;
  const UniqueFd wake_;

  // Of Send().
  CookieSource cookies_;
  Nanoseconds suspended_{};  ///< in total, at suspended_read_
  SteadyTime suspended_read_{};

  // Of the receiver.
  std::uint64_t receiving_generation_ = 0;  // of `receiving_`; 0: none yet
  IcmpSockets::List receiving_;
  std::vector<pollfd> polled_;  ///< `receiving_`, followed by `wake_`
  ArrivalReader reader_;
  RequestMatcher::Verdicts verdicts_;

  Mutex error_mutex_;
  ArrivalReader error_reader_ GUARDED_BY(error_mutex_);
  RequestMatcher::Verdicts error_verdicts_ GUARDED_BY(error_mutex_);
  std::atomic<std::uint64_t> error_batches_{0};  ///< non-empty ones

  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::uint64_t> foreign_replies_{0};
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  CondVar idle_;
  RequestMatcher matcher_ GUARDED_BY(mutex_);
  /// When the receiver wakes up at the latest; the past while it is awake.
  SteadyTime sleeping_until_ GUARDED_BY(mutex_){};

  std::thread receiver_;
};

LinuxEchoTransport::LinuxEchoTransport(const EchoTransportOptions& options,
                                       Callback callback,
                                       std::unique_ptr<IcmpSockets> sockets)
    : max_in_flight_(options.max_in_flight),
      callback_(std::move(callback)),
      on_stray_reply_(options.on_stray_reply),
      suspended_time_(options.suspended_time),
      sockets_(std::move(sockets)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      matcher_(options.max_in_flight) {
  if (!wake_) {
    throw std::system_error(errno, std::generic_category(),
                            "creating an eventfd");
  }
  receiver_ = std::thread([this] { Receive(); });
}

LinuxEchoTransport::~LinuxEchoTransport() {
  stopping_ = true;
  eventfd_write(wake_.get(), 1);
  receiver_.join();
  {
    MutexLock lock(mutex_);
    matcher_.SetSuspendedTime(suspended_time_());
    matcher_.Abandon();
    matcher_.TakeVerdicts(&verdicts_);
  }
  Report(&verdicts_);
}

void LinuxEchoTransport::Send(const EchoRequest& request) {
  int code = 0;
  bool wake = false;  // the receiver
  const SteadyTime start = Now();
  IcmpSocket* const socket = sockets_->ForRequest(request, start, &wake, &code);
  if (socket == nullptr) {
    if (wake) eventfd_write(wake_.get(), 1);
    Fail(request, code);
    return;
  }
  const std::uint64_t cookie = cookies_.Next();
  const std::uint16_t identifier = socket->IdentifierFor(request.flow);
  if (start - suspended_read_ > kSuspendedRead) {
    suspended_read_ = start;
    suspended_ = suspended_time_();
  }
  RequestRecord* record;
  {
    MutexLock lock(mutex_);
    const SteadyTime now = Now();
    matcher_.SetSuspendedTime(suspended_);
    record = matcher_.Begin(request, cookie, now);
    if (record != nullptr) {
      record->identifier = identifier;
      record->socket_requests = &socket->requests();
      ++socket->requests();
      ++in_flight_;
      // Set here too, so that only one sender wakes the receiver.
      if (now + request.timeout < sleeping_until_) {
        sleeping_until_ = now + request.timeout;
        wake = true;
      }
    }
  }
  if (record == nullptr) {
    Fail(request, ENOBUFS);
    return;
  }
  code = SendBy(*socket, request, *record);
  if (wake) eventfd_write(wake_.get(), 1);
  if (code == 0) return;
  {
    MutexLock lock(mutex_);
    // The receiver may have ended the request already, although nothing was
    // sent: a pending error may have been reported for an earlier attempt.
    if (!matcher_.EndUnsent(*record)) return;
  }
  Fail(request, code);
  MutexLock lock(mutex_);
  if (--in_flight_ == 0) idle_.NotifyAll();
}

// A failure may be another request's ICMP error: see MayBePendingError(). Such
// an error is in the queue, or was in it when the send began and has been read
// since; reading an error from the queue also makes the next one the result of
// the next send. So a failure is final only when no error that could be its
// cause is found, several times: the kernel queues an error before it makes the
// error the result of the next send, so it may have been read already.
int LinuxEchoTransport::SendBy(IcmpSocket& socket, const EchoRequest& request,
                               RequestRecord& record) {
  int code = 0;
  int without_cause = 0;
  for (int i = 0; i < kSendAgain && without_cause < kBelieved; ++i) {
    const std::uint64_t batches = error_batches_;
    code = socket.Send(request, record);
    if (code == 0 || !MayBePendingError(code)) break;
    SteadyTime last;
    // The receiver ends requests by the errors.
    if (ReadErrors(socket, &last)) eventfd_write(wake_.get(), 1);
    if (error_batches_ == batches) ++without_cause;
  }
  return code;
}

void LinuxEchoTransport::Fail(const EchoRequest& request, int code) {
  EchoResult result;
  result.tag = request.tag;
  result.outcome = OutcomeOfErrno(code);
  // If the source is not on this host, the kernel reports that the network is
  // unreachable or an argument invalid, which can have other causes, too.
  if (request.source && !IsOfThisHost(result.outcome)) {
    const std::optional<bool> is_own = IsOwnAddress(*request.source);
    if (!is_own) result.outcome = EchoOutcome::kNoResources;
    if (is_own == false) result.outcome = EchoOutcome::kBadSource;
  }
  result.os_code = static_cast<std::uint32_t>(code);
  callback_(result);
}

bool LinuxEchoTransport::Drain(Nanoseconds limit) {
  const SteadyTime deadline = Now() + limit;
  MutexLock lock(mutex_);
  while (in_flight_ > 0) {
    if (!idle_.WaitUntil(mutex_, deadline)) break;
  }
  return in_flight_ == 0;
}

std::string LinuxEchoTransport::Describe() const {
  const EchoTransportStats stats = Stats();
  std::string text;
  if (!stats.ipv4_mechanism.empty()) text += "IPv4: " + stats.ipv4_mechanism;
  if (!stats.ipv6_mechanism.empty()) {
    text += (text.empty() ? "IPv6: " : ", IPv6: ") + stats.ipv6_mechanism;
  }
  return text;
}

EchoTransportStats LinuxEchoTransport::Stats() const {
  EchoTransportStats stats;
  stats.foreign_replies = foreign_replies_;
  sockets_->AddStats(&stats);
  return stats;
}

void LinuxEchoTransport::Receive() {
  const RaisedThreadPriority raised;
  while (!stopping_) {
    SteadyTime horizon = WaitForArrivals();
    reader_.Refresh();
    const bool many = ReadAll(&horizon);
    {
      const Nanoseconds suspended = suspended_time_();
      MutexLock lock(mutex_);
      matcher_.SetSuspendedTime(suspended);
      matcher_.Expire(horizon);
      matcher_.TakeVerdicts(&verdicts_);
    }
    Report(&verdicts_);
    if (many) std::this_thread::sleep_until(reader_.now() + kRest);
  }
}

// Returns a time before which nothing arrived at the sockets that have nothing
// to read now.
SteadyTime LinuxEchoTransport::WaitForArrivals() {
  if (const auto generation = sockets_->generation();
      generation != receiving_generation_) {
    receiving_generation_ = generation;
    receiving_ = sockets_->All();
    polled_.clear();
    for (const auto& socket : receiving_) {
      polled_.push_back({.fd = socket->fd(), .events = POLLIN, .revents = 0});
    }
    polled_.push_back({.fd = wake_.get(), .events = POLLIN, .revents = 0});
  }
  std::optional<SteadyTime> deadline;
  {
    MutexLock lock(mutex_);
    deadline = matcher_.NextDeadline();
    sleeping_until_ = deadline.value_or(SteadyTime::max());
  }
  timespec left{};
  const SteadyTime before = Now();
  if (deadline) {
    *deadline = std::max(*deadline, before);
    const Nanoseconds wait = *deadline - before;
    left.tv_sec = std::chrono::floor<std::chrono::seconds>(wait).count();
    left.tv_nsec = (wait % std::chrono::seconds(1)).count();
  }
  const int ready = ppoll(polled_.data(), polled_.size(),
                          deadline ? &left : nullptr, nullptr);
  if (ready < 0) {  // interrupted: nothing is known
    for (pollfd& polled : polled_) polled.revents = 0;
  }
  {
    MutexLock lock(mutex_);
    sleeping_until_ = SteadyTime::min();
  }
  if (polled_.back().revents != 0) {
    eventfd_t count;
    eventfd_read(wake_.get(), &count);
  }
  if (ready < 0) return SteadyTime::min();
  // After the deadline, the kernel has looked at all sockets once more.
  return ready == 0 && deadline ? *deadline : before;
}

// Reads and classifies arrived packets; true when there was more than one.
// Everything that arrived before `horizon` has then been read; it is set back
// when there were too many.
bool LinuxEchoTransport::ReadAll(SteadyTime* horizon) {
  std::size_t packets = 0;
  for (std::size_t i = 0; i < receiving_.size(); ++i) {
    if (polled_[i].revents == 0) continue;
    const auto& socket = receiving_[i];
    SteadyTime last = SteadyTime::min();
    int batches = 0;
    while (batches < kBatchesInARow && ReadErrors(*socket, &last)) ++batches;
    if (batches == kBatchesInARow) *horizon = std::min(*horizon, last);

    for (batches = 0; batches < kBatchesInARow; ++batches) {
      if (!reader_.Read(*socket, /*errors=*/false)) break;
      packets += reader_.packets();
      foreign_replies_ += reader_.damaged();
      last = reader_.last_time();
      Classify(reader_, &verdicts_);
      Report(&verdicts_);
    }
    if (batches == kBatchesInARow) *horizon = std::min(*horizon, last);
  }
  return packets > 1;
}

// The same for a batch of a socket's ICMP errors, for the receiver and for the
// sender; false when there was none. `last`: the latest time of arrival.
bool LinuxEchoTransport::ReadErrors(const IcmpSocket& socket,
                                    SteadyTime* last) {
  MutexLock lock(error_mutex_);
  error_reader_.Refresh();
  const bool more = error_reader_.Read(socket, /*errors=*/true);
  if (error_reader_.packets() > 0) ++error_batches_;
  *last = error_reader_.last_time();
  Classify(error_reader_, &error_verdicts_);
  Report(&error_verdicts_);
  return more;
}

void LinuxEchoTransport::Classify(const ArrivalReader& reader,
                                  RequestMatcher::Verdicts* verdicts) {
  const Nanoseconds suspended = suspended_time_();
  MutexLock lock(mutex_);
  matcher_.SetSuspendedTime(suspended);
  for (const Arrival& arrival : reader.arrivals()) {
    matcher_.Classify(arrival, reader.now());
  }
  matcher_.TakeVerdicts(verdicts);
}

// Reports the results without holding `mutex_`, because callbacks take locks of
// their own. Leaves `verdicts` empty.
void LinuxEchoTransport::Report(RequestMatcher::Verdicts* verdicts) {
  for (const EchoResult& result : verdicts->results) callback_(result);
  if (on_stray_reply_) {
    for (const auto& [tag, kind] : verdicts->strays) on_stray_reply_(tag, kind);
  }
  foreign_replies_ += verdicts->foreign_replies;
  const std::size_t ended = verdicts->results.size();
  verdicts->foreign_replies = 0;
  verdicts->strays.clear();
  verdicts->results.clear();
  if (ended > 0 && (in_flight_ -= ended) == 0) {
    MutexLock lock(mutex_);
    idle_.NotifyAll();
  }
}

}  // namespace

Result<std::unique_ptr<EchoTransport>> CreateEchoTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback) {
  auto sockets = IcmpSockets::Open(options.max_in_flight);
  if (!sockets.ok()) return sockets.error();
  return std::unique_ptr<EchoTransport>(std::make_unique<LinuxEchoTransport>(
      options, std::move(callback), std::move(sockets).value()));
}

constexpr EchoTransportTraits kEchoTransportTraits{.max_in_flight = 1'000'000,
                                                   .sets_tos = true,
                                                   .sets_identifier = true,
                                                   .sees_stray_replies = true};

}  // namespace echo_exporter
