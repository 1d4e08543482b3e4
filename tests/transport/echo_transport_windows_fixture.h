#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "src/base/mutex.h"
#include "src/transport/echo_engine_windows.h"
#include "tests/support/scripted_icmp_windows.h"

namespace echo_exporter {

/// Results as they come in. Thread-safe.
class EchoResults {
 public:
  EchoTransport::Callback Callback() {
    return [this](const EchoResult& result) {
      MutexLock lock(mutex_);
      results_.push_back(result);
      changed_.NotifyAll();
    };
  }

  std::vector<EchoResult> WaitFor(std::size_t count) {
    MutexLock lock(mutex_);
    while (results_.size() < count) changed_.Wait(mutex_);
    return results_;
  }

  std::vector<EchoResult> Get() { return WaitFor(0); }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<EchoResult> results_ GUARDED_BY(mutex_);
};

/// A Windows transport on a scripted system.
class EchoTransportWindowsFixture : public testing::Test {
 protected:
  static inline const IpAddress kDestination = *IpAddress::Parse("192.0.2.1");

  EchoTransport& Open(EchoTransportOptions options = {}) {
    options.suspended_time = [this] { return system_.SuspendedTime(); };
    auto transport =
        CreateWindowsEchoTransport(system_.Api(), options, results_.Callback());
    transport_ = std::move(transport).value();
    return *transport_;
  }

  static EchoRequest Request(std::uint64_t tag) {
    EchoRequest request;
    request.tag = tag;
    request.destination = kDestination;
    request.timeout = std::chrono::seconds(1);
    request.payload_size = 32;
    return request;
  }

  static void Answer(const IcmpCall& call) {
    WriteReplyV4(call, call.destination, 0, 0, 64, call.payload);
    SetEvent(call.event);
  }

  /// A system that answers within the call, through the event.
  void AnswerEverything() {
    system_.OnSend([](IcmpCall& call) {
      Answer(call);
      return IcmpReturn{};
    });
  }

  ScriptedIcmp system_;
  EchoResults results_;
  std::unique_ptr<EchoTransport> transport_;
};

/// One whose system can hold the senders in their calls.
class EchoTransportHeldFixture : public EchoTransportWindowsFixture {
 protected:
  ~EchoTransportHeldFixture() override {
    transport_.reset();
    CloseHandle(release_);
  }

  /// A system that holds every sender in a call until Release(), and leaves
  /// what was sent pending; the two requests are in its hands on return.
  void HoldSenders(EchoTransport& transport) {
    system_.OnSend([release = release_](IcmpCall&) {
      WaitForSingleObject(release, INFINITE);
      return IcmpReturn{};
    });
    const std::size_t calls = system_.WaitForCalls(0).size();
    EchoRequest request = Request(1);
    request.timeout = std::chrono::seconds(60);
    transport.Send(request);
    request.tag = 2;
    transport.Send(request);
    system_.WaitForCalls(calls + 2);
  }
  void Release() { SetEvent(release_); }

  const HANDLE release_ = CreateEventW(nullptr, TRUE, FALSE, nullptr);
};

}  // namespace echo_exporter
