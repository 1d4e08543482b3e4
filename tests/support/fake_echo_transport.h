#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Requires a valid address.
IpAddress Address(std::string_view text);

/// A result such as a network gives; its tag is filled in when it is given.
EchoResult ReplyAfter(Nanoseconds rtt);
EchoResult EndAs(EchoOutcome outcome);

/// What the fake network does with the requests to one destination.
struct FakeAnswer {
  enum class When {
    kAtOnce,    ///< on the sending thread, before Send() returns
    kSoon,      ///< on a thread of the network
    kWhenTold,  ///< at FakeEchoNetwork::AnswerHeld(), or never
  };
  When when = When::kAtOnce;
  EchoResult result = ReplyAfter(std::chrono::milliseconds(1));
};

/// Stands for the network and the system's ICMP: makes transports that keep
/// the contract of EchoTransport, send nothing, remember every request, and
/// answer as the test says. Replies at once unless told otherwise.
///
/// Serves one transport at a time, which it must outlive. Thread-safe.
class FakeEchoNetwork {
 public:
  struct Sent {
    EchoRequest request;
    SteadyTime time;
  };

  /// `clock` tells the time of each Sent; must outlive the network.
  explicit FakeEchoNetwork(const Clock& clock = Clock::System());
  ~FakeEchoNetwork();
  FakeEchoNetwork(const FakeEchoNetwork&) = delete;
  FakeEchoNetwork& operator=(const FakeEchoNetwork&) = delete;

  /// Takes the place of CreateEchoTransport().
  Result<std::unique_ptr<EchoTransport>> CreateTransport(
      const EchoTransportOptions& options, EchoTransport::Callback callback);

  // What the system can do.
  void FailToOpen(const Error& error);
  void Support(bool ipv4, bool ipv6);
  void NeedRawSockets();
  /// Transports serve at most this many requests at once.
  void LimitInFlight(std::size_t limit);
  /// Drain() gives up after this, however long it may wait.
  void LimitDrain(Nanoseconds limit);

  // What becomes of requests from now on.
  void Answer(const FakeAnswer& answer);
  void AnswerFrom(const IpAddress& destination, const FakeAnswer& answer);
  /// Shorthand for FakeAnswer::When::kWhenTold.
  void Hold();
  void HoldFrom(const IpAddress& destination);

  /// Ends every request that is held, on the calling thread; returns how many.
  std::size_t AnswerHeld(const EchoResult& result);

  /// Sees a reply to a request that had its outcome already.
  void AnswerAgain(std::uint64_t tag, StrayReply kind);

  // What has happened so far, and waiting for it to happen.
  std::vector<Sent> sent() const;
  std::vector<Sent> SentTo(const IpAddress& destination) const;
  std::size_t in_flight() const;
  /// Whether there is a transport that has not been destroyed.
  bool has_transport() const;
  std::vector<Nanoseconds> drain_limits() const;
  void WaitForSent(std::size_t count);
  void WaitForSentTo(const IpAddress& destination, std::size_t count);
  /// Until Drain() has been called so many times.
  void WaitForDrain(std::size_t count = 1);

 private:
  class Transport;

  const FakeAnswer& AnswerFor(const IpAddress& destination) const
      REQUIRES(mutex_);
  void Send(const EchoRequest& request);
  bool Drain(Nanoseconds limit);
  void Close();
  void Deliver(std::uint64_t tag, EchoResult result);
  void AnswerSoon();

  const Clock& clock_;
  CondVar changed_;

  mutable Mutex mutex_;
  std::optional<Error> open_error_ GUARDED_BY(mutex_);
  bool ipv4_ GUARDED_BY(mutex_) = true;
  bool ipv6_ GUARDED_BY(mutex_) = true;
  bool raw_sockets_ GUARDED_BY(mutex_) = false;
  std::size_t most_in_flight_ GUARDED_BY(mutex_) =
      std::numeric_limits<std::size_t>::max();
  Nanoseconds longest_drain_ GUARDED_BY(mutex_) = Nanoseconds::max();
  FakeAnswer answer_ GUARDED_BY(mutex_);
  std::map<IpAddress, FakeAnswer> answers_ GUARDED_BY(mutex_);

  EchoTransport::Callback callback_ GUARDED_BY(mutex_);
  std::function<void(std::uint64_t, StrayReply)> on_stray_reply_
      GUARDED_BY(mutex_);
  std::size_t max_in_flight_ GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ GUARDED_BY(mutex_) = 0;
  std::vector<std::uint64_t> held_ GUARDED_BY(mutex_);  // tags
  std::deque<EchoResult> soon_ GUARDED_BY(mutex_);
  std::vector<Sent> sent_ GUARDED_BY(mutex_);
  std::vector<Nanoseconds> drain_limits_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;

  std::thread thread_;  // gives the answers that come soon
};

}  // namespace echo_exporter
