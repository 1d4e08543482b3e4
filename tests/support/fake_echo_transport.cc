#include "tests/support/fake_echo_transport.h"

#include <string>
#include <utility>

namespace echo_exporter {

IpAddress Address(std::string_view text) { return *IpAddress::Parse(text); }

EchoResult ReplyAfter(Nanoseconds rtt) {
  EchoResult result;
  result.outcome = EchoOutcome::kReply;
  result.rtt = rtt;
  result.reply_ttl = std::uint8_t{64};
  return result;
}

EchoResult EndAs(EchoOutcome outcome) {
  EchoResult result;
  result.outcome = outcome;
  return result;
}

class FakeEchoNetwork::Transport final : public EchoTransport {
 public:
  explicit Transport(FakeEchoNetwork& network) : network_(network) {}
  ~Transport() override { network_.Close(); }
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  void Send(const EchoRequest& request) override { network_.Send(request); }
  bool Drain(Nanoseconds limit) override { return network_.Drain(limit); }
  std::size_t in_flight() const override { return network_.in_flight(); }
  std::size_t max_in_flight() const override {
    const MutexLock lock(network_.mutex_);
    return network_.max_in_flight_;
  }
  bool Supports(IpVersion version) const override {
    const MutexLock lock(network_.mutex_);
    return version == IpVersion::kV4 ? network_.ipv4_ : network_.ipv6_;
  }
  std::string Describe() const override { return "a fake network"; }
  EchoTransportStats Stats() const override {
    EchoTransportStats stats;
    stats.ipv4_mechanism = Supports(IpVersion::kV4) ? "fake" : "";
    stats.ipv6_mechanism = Supports(IpVersion::kV6) ? "fake" : "";
    return stats;
  }
  bool NeedsRawSockets() const override {
    const MutexLock lock(network_.mutex_);
    return network_.raw_sockets_;
  }

 private:
  FakeEchoNetwork& network_;
};

FakeEchoNetwork::FakeEchoNetwork(const Clock& clock)
    : clock_(clock), thread_([this] { AnswerSoon(); }) {}

FakeEchoNetwork::~FakeEchoNetwork() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

Result<std::unique_ptr<EchoTransport>> FakeEchoNetwork::CreateTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback) {
  const MutexLock lock(mutex_);
  if (open_error_) return *open_error_;
  callback_ = std::move(callback);
  on_stray_reply_ = options.on_stray_reply;
  max_in_flight_ = std::min(options.max_in_flight, most_in_flight_);
  return std::unique_ptr<EchoTransport>(std::make_unique<Transport>(*this));
}

void FakeEchoNetwork::FailToOpen(const Error& error) {
  const MutexLock lock(mutex_);
  open_error_ = error;
}

void FakeEchoNetwork::Support(bool ipv4, bool ipv6) {
  const MutexLock lock(mutex_);
  ipv4_ = ipv4;
  ipv6_ = ipv6;
}

void FakeEchoNetwork::NeedRawSockets() {
  const MutexLock lock(mutex_);
  raw_sockets_ = true;
}

void FakeEchoNetwork::LimitInFlight(std::size_t limit) {
  const MutexLock lock(mutex_);
  most_in_flight_ = limit;
}

void FakeEchoNetwork::LimitDrain(Nanoseconds limit) {
  const MutexLock lock(mutex_);
  longest_drain_ = limit;
}

void FakeEchoNetwork::Answer(const FakeAnswer& answer) {
  const MutexLock lock(mutex_);
  answer_ = answer;
}

void FakeEchoNetwork::AnswerFrom(const IpAddress& destination,
                                 const FakeAnswer& answer) {
  const MutexLock lock(mutex_);
  answers_[destination] = answer;
}

void FakeEchoNetwork::Hold() {
  Answer({.when = FakeAnswer::When::kWhenTold, .result = {}});
}

void FakeEchoNetwork::HoldFrom(const IpAddress& destination) {
  AnswerFrom(destination, {.when = FakeAnswer::When::kWhenTold, .result = {}});
}

void FakeEchoNetwork::AnswerAgain(std::uint64_t tag, StrayReply kind) {
  std::function<void(std::uint64_t, StrayReply)> tell;
  {
    const MutexLock lock(mutex_);
    tell = on_stray_reply_;
  }
  tell(tag, kind);
}

std::size_t FakeEchoNetwork::AnswerHeld(const EchoResult& result) {
  std::vector<std::uint64_t> tags;
  {
    const MutexLock lock(mutex_);
    tags.swap(held_);
  }
  for (const std::uint64_t tag : tags) Deliver(tag, result);
  return tags.size();
}

std::vector<FakeEchoNetwork::Sent> FakeEchoNetwork::sent() const {
  const MutexLock lock(mutex_);
  return sent_;
}

std::vector<FakeEchoNetwork::Sent> FakeEchoNetwork::SentTo(
    const IpAddress& destination) const {
  std::vector<Sent> sent = this->sent();
  std::erase_if(sent, [&](const Sent& one) {
    return one.request.destination != destination;
  });
  return sent;
}

std::size_t FakeEchoNetwork::in_flight() const {
  const MutexLock lock(mutex_);
  return in_flight_;
}

bool FakeEchoNetwork::has_transport() const {
  const MutexLock lock(mutex_);
  return callback_ != nullptr;
}

std::vector<Nanoseconds> FakeEchoNetwork::drain_limits() const {
  const MutexLock lock(mutex_);
  return drain_limits_;
}

void FakeEchoNetwork::WaitForSent(std::size_t count) {
  const MutexLock lock(mutex_);
  while (sent_.size() < count) changed_.Wait(mutex_);
}

void FakeEchoNetwork::WaitForSentTo(const IpAddress& destination,
                                    std::size_t count) {
  const auto is_to_destination = [&](const Sent& one) {
    return one.request.destination == destination;
  };
  const MutexLock lock(mutex_);
  while (static_cast<std::size_t>(
             std::ranges::count_if(sent_, is_to_destination)) < count) {
    changed_.Wait(mutex_);
  }
}

void FakeEchoNetwork::WaitForDrain(std::size_t count) {
  const MutexLock lock(mutex_);
  while (drain_limits_.size() < count) changed_.Wait(mutex_);
}

const FakeAnswer& FakeEchoNetwork::AnswerFor(
    const IpAddress& destination) const {
  const auto found = answers_.find(destination);
  return found == answers_.end() ? answer_ : found->second;
}

void FakeEchoNetwork::Send(const EchoRequest& request) {
  EchoTransport::Callback refuse;
  EchoResult result;
  {
    const MutexLock lock(mutex_);
    sent_.push_back({request, clock_.Now()});
    changed_.NotifyAll();
    const FakeAnswer& answer = AnswerFor(request.destination);
    result = answer.result;
    result.tag = request.tag;
    if (in_flight_ >= max_in_flight_) {
      refuse = callback_;
    } else {
      ++in_flight_;
      if (answer.when == FakeAnswer::When::kWhenTold) {
        held_.push_back(request.tag);
        return;
      }
      if (answer.when == FakeAnswer::When::kSoon) {
        soon_.push_back(result);
        return;
      }
    }
  }
  if (refuse) {
    result = EndAs(EchoOutcome::kNoResources);
    result.tag = request.tag;
    refuse(result);
  } else {
    Deliver(request.tag, result);
  }
}

bool FakeEchoNetwork::Drain(Nanoseconds limit) {
  const SteadyTime start = Clock::System().Now();
  const MutexLock lock(mutex_);
  drain_limits_.push_back(limit);
  changed_.NotifyAll();
  const SteadyTime deadline = start + std::min(limit, longest_drain_);
  while (in_flight_ > 0) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  return in_flight_ == 0;
}

void FakeEchoNetwork::Close() {
  AnswerHeld(EndAs(EchoOutcome::kTimeout));
  const MutexLock lock(mutex_);
  while (in_flight_ > 0) changed_.Wait(mutex_);
  callback_ = nullptr;
}

// A request stays in flight until its callback has returned: who waits for
// nothing in flight then knows that every result has been taken in.
void FakeEchoNetwork::Deliver(std::uint64_t tag, EchoResult result) {
  EchoTransport::Callback callback;
  {
    const MutexLock lock(mutex_);
    callback = callback_;
  }
  result.tag = tag;
  callback(result);
  const MutexLock lock(mutex_);
  --in_flight_;
  changed_.NotifyAll();
}

void FakeEchoNetwork::AnswerSoon() {
  while (true) {
    EchoResult result;
    {
      const MutexLock lock(mutex_);
      while (soon_.empty() && !stopping_) changed_.Wait(mutex_);
      if (soon_.empty()) return;
      result = soon_.front();
      soon_.pop_front();
    }
    Deliver(result.tag, result);
  }
}

}  // namespace echo_exporter
