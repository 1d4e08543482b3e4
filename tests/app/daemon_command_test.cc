#include "src/app/daemon_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

class NoService final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }
};

class SomeService final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return true; }
};

/// A transport whose requests end some time after the exporter has given them
/// up: when it was asked three times how many there are.
class SlowToEnd final : public EchoTransport {
 public:
  SlowToEnd(FakeEchoNetwork& network, std::unique_ptr<EchoTransport> transport)
      : network_(network), transport_(std::move(transport)) {}

  void Send(const EchoRequest& request) override { transport_->Send(request); }
  bool Drain(Nanoseconds /*limit*/) override {
    given_up_ = true;
    return false;
  }
  std::size_t in_flight() const override {
    if (given_up_ && ++questions_ == 3) {
      network_.AnswerHeld(EndAs(EchoOutcome::kTimeout));
    }
    return transport_->in_flight();
  }
  std::size_t max_in_flight() const override {
    return transport_->max_in_flight();
  }
  bool Supports(IpVersion version) const override {
    return transport_->Supports(version);
  }
  std::string Describe() const override { return transport_->Describe(); }
  EchoTransportStats Stats() const override { return transport_->Stats(); }
  bool NeedsRawSockets() const override {
    return transport_->NeedsRawSockets();
  }

 private:
  FakeEchoNetwork& network_;
  const std::unique_ptr<EchoTransport> transport_;
  std::atomic<bool> given_up_ = false;
  mutable std::atomic<int> questions_ = 0;
};

class DaemonCommandTest : public testing::Test {
 protected:
  DaemonCommandTest() {
    // The process that dies is a new one, and not a copy of this one's threads.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto& test = *testing::UnitTest::GetInstance()->current_test_info();
    options_.config_file = testing::TempDir() + test.name() + ".toml";
  }

  ~DaemonCommandTest() override {
    std::error_code ignored;
    std::filesystem::remove(options_.config_file, ignored);
  }

  void Configure(const std::string& toml) {
    std::ofstream(options_.config_file) << toml;
  }

  int Run() {
    const Exporter::Environment environment{
        .create_transport =
            [this](const EchoTransportOptions& options,
                   EchoTransport::Callback callback) {
              return network_.CreateTransport(options, std::move(callback));
            },
        .lookup = &lookup_};
    NoService service;
    return RunDaemon(options_, environment, *events_, service);
  }

  /// Runs as a service that is told to stop with a request in flight, which
  /// the system does not end at once; the exit code is 0 when it has ended.
  [[noreturn]] void RunAsServiceUntilRequestsEnd() {
    network_.Hold();
    const Exporter::Environment environment{
        .create_transport = [this](const EchoTransportOptions& options,
                                   EchoTransport::Callback callback)
            -> Result<std::unique_ptr<EchoTransport>> {
          return std::unique_ptr<EchoTransport>(std::make_unique<SlowToEnd>(
              network_,
              network_.CreateTransport(options, std::move(callback)).value()));
        },
        .lookup = &lookup_};
    std::thread stopper([this] {
      network_.WaitForSent(1);
      events_->Raise(ProcessEvents::Event::kStop);
    });
    SomeService service;
    const int code = RunDaemon(options_, environment, *events_, service);
    stopper.join();
    std::_Exit(code == kExitSuccess && network_.in_flight() == 0 ? 0 : 99);
  }

  /// Runs until lookups of a name hang, and is told to stop then.
  [[noreturn]] void RunUntilALookupHangs() {
    lookup_.Block("slow.example.net");
    std::thread stopper([this] {
      lookup_.WaitForCalls("slow.example.net", 1);
      events_->Raise(ProcessEvents::Event::kStop);
    });
    const int code = Run();
    stopper.join();
    std::_Exit(code);
  }

  FakeEchoNetwork network_;
  FakeAddressLookup lookup_;
  const std::unique_ptr<ProcessEvents> events_ =
      ProcessEvents::Create(/*reload=*/true);
  DaemonOptions options_;
};

TEST_F(DaemonCommandTest, EndsAtAStopAlthoughALookupHangs) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "the thread sanitizer lets no daemon drop its rights";
  }
  Configure(R"(
[web]
listen_addresses = ["127.0.0.1:0"]
[[group]]
name = "g"
sources = ["auto"]
destinations = ["slow.example.net"]
)");
  EXPECT_EXIT(RunUntilALookupHangs(), testing::ExitedWithCode(kExitSuccess),
              "msg=stopped");
}

// Until then its files are in use, and "stopped" would not be true.
TEST_F(DaemonCommandTest, AServiceEndsWhenTheSystemHasEndedItsRequests) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "the thread sanitizer lets no daemon drop its rights";
  }
  Configure(R"(
[web]
listen_addresses = ["127.0.0.1:0"]
[defaults]
interval = "100ms"
timeout = "60s"
[[group]]
name = "g"
sources = ["auto"]
destinations = ["192.0.2.1"]
)");
  EXPECT_EXIT(RunAsServiceUntilRequestsEnd(), testing::ExitedWithCode(0), "");
}

TEST_F(DaemonCommandTest, ReturnsWhenItCannotStart) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Run(), kExitUsage);  // there is no configuration
  const std::string text = testing::internal::GetCapturedStderr();
  // As where nothing was given.
  EXPECT_THAT(text, testing::HasSubstr(options_.config_file));
  EXPECT_THAT(text, testing::HasSubstr("by --config.file"));
  EXPECT_THAT(text, testing::HasSubstr("by --target"));
  options_.config_file_is_default = false;
  testing::internal::CaptureStderr();
  EXPECT_EQ(Run(), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::Not(testing::HasSubstr("--target")));
}

TEST_F(DaemonCommandTest, TheCheckPrintsEachFile) {
  const std::string included = options_.config_file + ".more";
  Configure("include = [\"*.toml.more\"]\n");
  std::ofstream(included)
      << "[[group]]\nname = \"g\"\ndestinations = [\"192.0.2.1\"]\n";
  options_.check_only = true;
  testing::internal::CaptureStdout();
  EXPECT_EQ(Run(), kExitSuccess);
  EXPECT_EQ(
      testing::internal::GetCapturedStdout(),
      options_.config_file + ": OK (1 group, 1 pair)\n" + included + ": OK\n");
  options_.targets = {"192.0.2.0/29"};
  testing::internal::CaptureStdout();
  EXPECT_EQ(Run(), kExitSuccess);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "--target: OK (1 group, 6 pairs)\n");
  std::filesystem::remove(included);
}

}  // namespace
}  // namespace echo_exporter
