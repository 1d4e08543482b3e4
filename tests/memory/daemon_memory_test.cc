#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "src/app/daemon_command.h"
#include "tests/support/failing_memory.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/latch.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

/// Ready after the start and after each reload.
class ReadyService final : public ServiceStatus {
 public:
  explicit ReadyService(Latch& ready) : ready_(ready) {}
  void NotifyReady() override { ready_.count_down(); }
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }

 private:
  Latch& ready_;
};

class DaemonMemoryTest : public testing::Test {
 protected:
  DaemonMemoryTest() {
    // The process that ends is a new one, and not a copy of this one's threads.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    options_.config_file = testing::TempDir() + "daemon_memory_test.toml";
  }

  ~DaemonMemoryTest() override {
    std::error_code ignored;
    std::filesystem::remove(options_.config_file, ignored);
  }

  void Configure(const std::string& destination) {
    std::ofstream(options_.config_file)
        << "[web]\nlisten_addresses = [\"127.0.0.1:0\"]\n[[group]]\n"
           "name = \"g\"\ndestinations = [\""
        << destination << "\"]\n";
  }

  [[noreturn]] void RunThroughAMomentWithoutMemory() {
    Configure("192.0.2.1");
    std::thread administrator([this] {
      // The start is over when there has been a reload.
      events_->Raise(ProcessEvents::Event::kReload);
      reloaded_.wait();
      {
        const FailingMemory memory(FailingMemory::Threads::kAll, 0,
                                   FailingMemory::kAllOfThem);
        events_->Raise(ProcessEvents::Event::kReload);
        while (memory.failures() == 0) std::this_thread::yield();
      }
      Configure("192.0.2.2");
      events_->Raise(ProcessEvents::Event::kReload);
      network_.WaitForSentTo(Address("192.0.2.2"), 1);
      events_->Raise(ProcessEvents::Event::kStop);
    });
    const Exporter::Environment environment{
        .create_transport =
            [this](const EchoTransportOptions& options,
                   EchoTransport::Callback callback) {
              return network_.CreateTransport(options, std::move(callback));
            },
        .lookup = &lookup_};
    ReadyService service(reloaded_);
    const int code = RunDaemon(options_, environment, *events_, service);
    administrator.join();
    std::_Exit(code);
  }

  Latch reloaded_{2};
  FakeEchoNetwork network_;
  FakeAddressLookup lookup_;
  const std::unique_ptr<ProcessEvents> events_ =
      ProcessEvents::Create(/*reload=*/true);
  DaemonOptions options_;
};

TEST_F(DaemonMemoryTest, GoesOnWhenAReloadFindsNoMemory) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "the thread sanitizer lets no daemon drop its rights";
  }
  EXPECT_EXIT(RunThroughAMomentWithoutMemory(),
              testing::ExitedWithCode(kExitSuccess), "configuration reloaded");
}

}  // namespace
}  // namespace echo_exporter
