#include "src/transport/echo_transport_windows.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "src/base/mutex.h"
#include "src/transport/echo_engine_windows.h"

// Implementation notes: measured below.

namespace echo_exporter {
namespace {

class WindowsEchoTransport final : public EchoTransport {
 public:
  WindowsEchoTransport(std::unique_ptr<EchoEngine> engine, Nanoseconds grace)
      : engine_(std::move(engine)),
        watch_period_(
            std::max<Nanoseconds>(grace / 4, std::chrono::milliseconds(10))),
        watchdog_([this] { Watch(); }) {}

  ~WindowsEchoTransport() override {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      wake_.NotifyAll();
    }
    watchdog_.join();
    // The system may still write into what it has not given back.
    if (!engine_->Close()) static_cast<void>(engine_.release());
  }

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

 private:
  void Watch() {
    MutexLock lock(mutex_);
    while (!stopping_) {
      const auto next = std::chrono::steady_clock::now() + watch_period_;
      if (wake_.WaitUntil(mutex_, next)) continue;
      engine_->ExpireOverdue(/*all=*/false);
    }
  }

  std::unique_ptr<EchoEngine> engine_;
  const Nanoseconds watch_period_;

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread watchdog_;
};

}  // namespace

Result<std::unique_ptr<EchoTransport>> CreateWindowsEchoTransport(
    const IcmpApi& api, const EchoTransportOptions& options,
    EchoTransport::Callback callback) {
  auto engine = std::make_unique<EchoEngine>(api, options, std::move(callback));
  if (Status opened = engine->Open(); !opened.ok()) return opened.error();
  return std::unique_ptr<EchoTransport>(std::make_unique<WindowsEchoTransport>(
      std::move(engine), options.overdue_grace));
}

Result<std::unique_ptr<EchoTransport>> CreateEchoTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback) {
  return CreateWindowsEchoTransport(SystemIcmpApi(), options,
                                    std::move(callback));
}

}  // namespace echo_exporter
