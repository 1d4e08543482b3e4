#include "src/app/daemon_command.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/thread_sanitizer.h"

namespace echo_exporter {
namespace {

class NoService final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }
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

TEST_F(DaemonCommandTest, ReturnsWhenItCannotStart) {
  EXPECT_EQ(Run(), kExitUsage);  // there is no configuration
}

}  // namespace
}  // namespace echo_exporter
