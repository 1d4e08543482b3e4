#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include "src/base/unique_fd_posix.h"
#include "src/service/service.h"

namespace echo_exporter {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Plays systemd: a socket that the variables of the environment name.
class ServiceManager {
 public:
  /// `name` as in NOTIFY_SOCKET: a path, or "@" and an abstract name.
  explicit ServiceManager(const std::string& name) : name_(name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                          name.size())),
              0)
        << std::strerror(errno);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (name_[0] == '/') unlink(name_.c_str());
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// The next message; waits for it.
  std::string Receive() const {
    std::array<char, 4096> text;
    const ssize_t size = recv(fd_.get(), text.data(), text.size(), 0);
    return size < 0 ? std::strerror(errno)
                    : std::string(text.data(), static_cast<std::size_t>(size));
  }

  /// Whether nothing has come that was not received.
  bool IsQuiet() const {
    char byte = 0;
    return recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
  }

 private:
  const std::string name_;
  UniqueFd fd_;
};

std::string UniqueName(const std::string& prefix) {
  return prefix + "echo_exporter_test_" + std::to_string(getpid());
}

int TellAll(ProcessEvents&, ServiceStatus& status) {
  status.NotifyReady();
  status.NotifyReloading();
  status.NotifyReady();
  status.NotifyStopping();
  return 7;
}

class ServiceTest : public testing::TestWithParam<const char*> {};

TEST_P(ServiceTest, TellsTheManagerWhatItDoes) {
  const ServiceManager manager(UniqueName(GetParam()));
  EXPECT_EQ(RunUnderServiceManager(TellAll), 7);
  EXPECT_THAT(manager.Receive(), StartsWith("READY=1\nSTATUS="));
  EXPECT_THAT(manager.Receive(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_THAT(manager.Receive(), StartsWith("READY=1\n"));
  EXPECT_THAT(manager.Receive(), StartsWith("STOPPING=1\nSTATUS="));
  EXPECT_TRUE(manager.IsQuiet());
}

INSTANTIATE_TEST_SUITE_P(SocketNames, ServiceTest,
                         testing::Values("/tmp/", "@"));

TEST(ServiceNotifyTest, TellsTheTimeOfAReloadOnTheClockOfSystemd) {
  const ServiceManager manager(UniqueName("@"));
  timespec before{};
  clock_gettime(CLOCK_MONOTONIC, &before);
  RunUnderServiceManager([](ProcessEvents&, ServiceStatus& status) {
    status.NotifyReloading();
    return 0;
  });
  const std::string message = manager.Receive();
  const std::string name = "MONOTONIC_USEC=";
  const std::size_t begin = message.find(name);
  ASSERT_NE(begin, std::string::npos) << message;
  const double seconds =
      std::stod(message.substr(begin + name.size())) / 1'000'000;
  EXPECT_GE(seconds + 1e-6, static_cast<double>(before.tv_sec) +
                                static_cast<double>(before.tv_nsec) / 1e9);
  EXPECT_LT(seconds, static_cast<double>(before.tv_sec) + 60);
}

TEST(ServiceNotifyTest, RunsWithoutAManager) {
  EXPECT_EQ(RunUnderServiceManager(TellAll), 7);
}

TEST(ServiceNotifyTest, RunsWithAManagerThatIsGone) {
  setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
  EXPECT_EQ(RunUnderServiceManager(TellAll), 7);
  setenv("NOTIFY_SOCKET", "nonsense", 1);
  EXPECT_EQ(RunUnderServiceManager(TellAll), 7);
  unsetenv("NOTIFY_SOCKET");
}

TEST(ServiceWatchTest, TellsTheWatchdogOnlyWhileNothingIsHeldUp) {
  const ServiceManager manager(UniqueName("@"));
  setenv("WATCHDOG_USEC", "20000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  RunUnderServiceManager([&](ProcessEvents&, ServiceStatus& status) {
    std::atomic<Nanoseconds> held_up_for{std::chrono::milliseconds(9)};
    const auto watch = status.Watch([&] { return held_up_for.load(); });
    EXPECT_EQ(manager.Receive(), "WATCHDOG=1");
    EXPECT_EQ(manager.Receive(), "WATCHDOG=1");
    held_up_for = std::chrono::milliseconds(12345);
    std::string message;
    do {
      message = manager.Receive();
    } while (message == "WATCHDOG=1");
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(message,
                  HasSubstr("STATUS=Sending has been blocked for 12s"));
      message = manager.Receive();
    }
    held_up_for = Nanoseconds(0);
    while (message != "WATCHDOG=1") message = manager.Receive();
    return 0;
  });
}

TEST(ServiceWatchTest, TellsNothingThatNobodyWantsToHear) {
  const ServiceManager manager(UniqueName("@"));
  const auto watches = [](ProcessEvents&, ServiceStatus& status) {
    return status.Watch([] { return Nanoseconds(0); }) == nullptr ? 0 : 1;
  };
  EXPECT_EQ(RunUnderServiceManager(watches), 0);
  setenv("WATCHDOG_USEC", "nonsense", 1);
  EXPECT_EQ(RunUnderServiceManager(watches), 0);
  setenv("WATCHDOG_USEC", "20000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(RunUnderServiceManager(watches), 0);
  EXPECT_TRUE(manager.IsQuiet());
}

}  // namespace
}  // namespace echo_exporter
