#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "src/base/periodic.h"
#include "src/transport/echo_engine_windows.h"

// Implementation notes
//
// Constraints of the system:
//  a) A request cannot be cancelled, and until its event is signalled the
//     system may write to its reply buffer. IcmpCloseHandle() blocks until
//     then. So slots live until their event fires, destruction never waits for
//     the network, and memory that the system still uses is deliberately
//     leaked.
//  b) A call takes as long as the system takes to queue the packet, and may
//     never return. So calls are made by several threads of the engine, which
//     live as long as it does: before Wine 10.15 a request ends with the thread
//     that made it.
//  c) Last errors, return values, events and reply buffers are not always
//     consistent: a failed call does not signal, a call that completes at once
//     may, and an event may be signalled with the buffer untouched. So the
//     first thread to claim a request ends it, and the buffer contains
//     IP_PENDING until the system has written a status.
//  d) Round-trip times are whole milliseconds. So the performance counter is
//     read right before the call and at the beginning of the callback.
//
// docs/performance.md compares the possible forms of the call. This one is an
// event with one registered wait for the life of its slot, which is not reused
// before its signal has been handled. Only where a call completes at once,
// which may signal as well, the wait is registered again.
//
// Wine needs two precautions, taken only there: in event mode Wine 8 frees the
// I/O status block of a request too early unless an APC is passed too, so a
// no-op APC is passed, and the senders are alertable now and then; and its
// driver serves 256 requests at once and loses further ones.

namespace echo_exporter {
namespace {

class WindowsEchoTransport final : public EchoTransport {
 public:
  WindowsEchoTransport(EchoEngineOwner engine, Nanoseconds grace)
      : engine_(std::move(engine)),
        watchdog_(
            std::max<Nanoseconds>(grace / 4, std::chrono::milliseconds(10)),
            [this] {
              engine_->ExpireOverdue(/*all=*/false);
              engine_->ReleaseUnused();
            }) {}

  void Send(const EchoRequest& request) override { engine_->Send(request); }
  bool Drain(Nanoseconds limit) override { return engine_->Drain(limit); }
  std::size_t in_flight() const override { return engine_->in_flight(); }
  std::size_t max_in_flight() const override {
    return engine_->max_in_flight();
  }
  bool Supports(IpVersion version) const override {
    return version == IpVersion::kV4 ? engine_->has_v4() : engine_->has_v6();
  }
  std::string Describe() const override {
    return Supports(IpVersion::kV6) ? "IcmpSendEcho2Ex and Icmp6SendEcho2"
                                    : "IcmpSendEcho2Ex, IPv4 only";
  }
  EchoTransportStats Stats() const override {
    EchoTransportStats stats;
    if (Supports(IpVersion::kV4)) stats.ipv4_mechanism = "icmp_api";
    if (Supports(IpVersion::kV6)) stats.ipv6_mechanism = "icmp_api";
    return stats;
  }
  bool NeedsRawSockets() const override { return false; }

 private:
  const EchoEngineOwner engine_;
  Periodic watchdog_;
};

}  // namespace

Result<std::unique_ptr<EchoTransport>> CreateWindowsEchoTransport(
    const IcmpApi& api, const EchoTransportOptions& options,
    EchoTransport::Callback callback) {
  EchoEngineOwner engine(new EchoEngine(api, options, std::move(callback)));
  if (Status opened = engine->Open(); !opened.ok()) return opened.error();
  return std::unique_ptr<EchoTransport>(std::make_unique<WindowsEchoTransport>(
      std::move(engine), options.overdue_grace));
}

Result<std::unique_ptr<EchoTransport>> CreateEchoTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback) {
  return CreateWindowsEchoTransport(SystemIcmpApi(), options,
                                    std::move(callback));
}

constexpr EchoTransportTraits kEchoTransportTraits{
    // All processes together have 65,536 sequence numbers, and the identifier
    // is always the same: a request older than that many has its number twice.
    // The rest is for requests that are older than average, and for other
    // programs.
    .max_in_flight = 60'000,
    // The API accepts the value and ignores it (documentation of
    // IP_OPTION_INFORMATION).
    .sets_tos = false,
    // The API has one identifier for all requests, and counts sequence numbers.
    .sets_identifier = false,
    // The API reports one reply per request and discards further ones.
    .sees_stray_replies = false};

}  // namespace echo_exporter
