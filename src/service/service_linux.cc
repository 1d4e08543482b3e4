// Implementation notes:
//   a) The protocol of sd_notify(3) is a datagram of lines NAME=VALUE to the
//      socket named by NOTIFY_SOCKET, which is simpler than a library.
//   b) systemd accepts RELOADING=1 only with the time of its sending, by which
//      it recognises the READY=1 of the reload.
//   c) A separate thread reports to the watchdog. The main thread cannot, since
//      reading a large configuration takes long without being a hang.

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/duration.h"
#include "src/base/exit_code.h"
#include "src/base/unique_fd_posix.h"
#include "src/service/service.h"
#include "src/service/service_command.h"

namespace echo_exporter {
namespace {

std::string Environment(const char* name) {
  // Nothing in this program changes the environment.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The socket of the service manager, if there is one. Thread-safe.
class NotifySocket {
 public:
  NotifySocket() {
    const std::string name = Environment("NOTIFY_SOCKET");
    // "@" stands for the zero byte of an abstract socket.
    if (name.size() < 2 || name.size() >= sizeof(address_.sun_path) ||
        (name[0] != '/' && name[0] != '@')) {
      return;
    }
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, name.data(), name.size());
    if (name[0] == '@') address_.sun_path[0] = '\0';
    size_ =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }

  // Errors are ignored: the daemon works without the service manager.
  void Send(std::string_view lines) const {
    if (!fd_) return;
    static_cast<void>(
        sendto(fd_.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address_), size_));
  }

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
  UniqueFd fd_;
};

/// The longest time that systemd allows between two watchdog messages; absent:
/// it expects none from this process.
std::optional<Nanoseconds> WatchdogTime() {
  const std::string pid = Environment("WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(getpid())) return std::nullopt;
  const std::string microseconds = Environment("WATCHDOG_USEC");
  const std::int64_t time = std::strtoll(microseconds.c_str(), nullptr, 10);
  if (time <= 1 ||
      time > std::chrono::microseconds(std::chrono::hours(24)).count()) {
    return std::nullopt;
  }
  return std::chrono::microseconds(time);
}

class SystemdStatus final : public ServiceStatus {
 public:
  void NotifyReady() override {
    socket_.Send("READY=1\nSTATUS=Probing and serving");
  }

  void NotifyReloading() override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t microseconds =
        std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    socket_.Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds) +
                 "\nSTATUS=Reading the configuration");
  }

  void NotifyStopping() override {
    socket_.Send("STOPPING=1\nSTATUS=Waiting for requests in flight");
  }

  std::unique_ptr<Periodic> Watch(
      std::function<Nanoseconds()> held_up_for) override {
    const auto time = WatchdogTime();
    if (!time) return nullptr;
    // Half of it, as sd_watchdog_enabled(3) advises.
    const Nanoseconds interval = *time / 2;
    const auto report = [this, interval, held_up_for = std::move(held_up_for)] {
      const Nanoseconds duration = held_up_for();
      if (duration < interval) return socket_.Send("WATCHDOG=1");
      // Shown by `systemctl status` after the watchdog has ended the process.
      socket_.Send(
          "STATUS=Sending has been blocked for " +
          FormatDuration(std::chrono::floor<std::chrono::seconds>(duration)));
    };
    report();
    return std::make_unique<Periodic>(interval, report);
  }

  bool HasNoConsole() const override { return false; }

 private:
  NotifySocket socket_;
};

}  // namespace

int RunUnderServiceManager(const DaemonBody& body) {
  const auto events = ProcessEvents::Create(/*reload=*/true);
  SystemdStatus status;
  return body(*events, status);
}

int RunServiceCommand(const ServiceOptions& /*options*/, std::ostream& /*out*/,
                      std::ostream& err) {
  err << "echo_exporter: `service` is available on Windows only; on Linux use "
         "systemd, as in `systemctl status echo_exporter`\n";
  return kExitUsage;
}

std::vector<std::string> FindUnprotected(
    const std::vector<std::string>& /*files*/) {
  return {};
}

}  // namespace echo_exporter
