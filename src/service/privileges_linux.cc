// Implementation notes:
//   a) In the kernel, capabilities belong to a thread (capabilities(7)), and
//      neither capset(2) nor prctl(2) affects other threads; a new thread
//      inherits its creator's. When the sockets are open, there are threads.
//   b) So each thread makes the calls itself, in a signal handler, as the C
//      library does for user ids. (libpsx works the same way, but knows only
//      threads created through its wrapper, and std::thread is in a shared
//      library.)
//   c) A thread that has not dropped its capabilities yet may start another one
//      meanwhile. So threads are listed again until all have dropped theirs.
//   d) SIGURG: it is not used otherwise, and a late one is ignored by default.
//   e) The bounding set and no_new_privs ensure that execve(2) does not restore
//      capabilities, even for root. Dropping from the bounding set requires
//      CAP_SETPCAP, which an unprivileged user does not have; no_new_privs is
//      enough then.

#include <dirent.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <thread>

#include "src/base/unique_fd_posix.h"
#include "src/service/service.h"

namespace echo_exporter {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

// errno of the calling thread's attempt, or one of:
constexpr int kDone = 0;
constexpr int kPending = -1;
std::atomic<int> outcome = kPending;

/// The capabilities that are not dropped, of the first 32.
std::atomic<std::uint32_t> kept = 0;

// Makes only system calls, because it runs in a signal handler. Returns an
// errno, or kDone.
int DropOfThisThread() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  for (unsigned long capability = 0;
       prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) {
      return errno;
    }
  }
  __user_cap_header_struct header{};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return errno;
  const std::uint32_t left = sets[0].permitted & kept;
  // The ambient set follows the inheritable one.
  sets = {};
  sets[0].permitted = left;
  sets[0].effective = left;
  return syscall(SYS_capset, &header, sets.data()) == 0 ? kDone : errno;
}

extern "C" void HandleDropSignal(int) {
  const int saved = errno;
  outcome = DropOfThisThread();
  errno = saved;
}

Error ErrnoError(const std::string& what, int code) {
  return {ErrorCode::kUnavailable, what + ": " + ErrnoText(code)};
}

Result<std::set<pid_t>> ListThreads() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(
      opendir("/proc/self/task"), &closedir);
  if (directory == nullptr) return ErrnoError("listing threads", errno);
  std::set<pid_t> threads;
  // Unsafe only for threads that share a stream.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  while (const dirent* const entry = readdir(directory.get())) {
    const char* const name = entry->d_name;
    pid_t thread = 0;
    if (std::from_chars(name, name + std::strlen(name), thread).ec ==
        std::errc()) {
      threads.insert(thread);
    }
  }
  return threads;
}

bool Send(pid_t thread, int signal) {
  return tgkill(getpid(), thread, signal) == 0;
}

// A thread that ends meanwhile has nothing to drop.
Status DropOf(pid_t thread) {
  outcome = kPending;
  if (!Send(thread, SIGURG)) return std::monostate{};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (outcome == kPending) {
    if (!Send(thread, 0)) return std::monostate{};
    if (std::chrono::steady_clock::now() > deadline) {
      return ErrnoError("dropping the capabilities of a thread", ETIMEDOUT);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  const int code = outcome;
  if (code == kDone) return std::monostate{};
  return ErrnoError("dropping the capabilities of a thread", code);
}

Status DropOfOtherThreads() {
  std::set<pid_t> done{gettid()};
  for (bool found = true; found;) {
    found = false;
    auto threads = ListThreads();
    if (!threads.ok()) return threads.error();
    for (const pid_t thread : threads.value()) {
      if (!done.insert(thread).second) continue;
      found = true;
      if (Status status = DropOf(thread); !status.ok()) return status;
    }
  }
  return std::monostate{};
}

}  // namespace

Status DropPrivileges(const KeptRights& rights) {
  kept = rights.raw_sockets ? 1U << CAP_NET_RAW : 0U;
  // This thread first, so that threads it starts from here on inherit nothing.
  if (const int code = DropOfThisThread(); code != kDone) {
    return ErrnoError("dropping capabilities", code);
  }
  struct sigaction action {};
  action.sa_handler = HandleDropSignal;
  action.sa_flags = SA_RESTART;
  struct sigaction old {};
  sigaction(SIGURG, &action, &old);
  Status status = DropOfOtherThreads();
  sigaction(SIGURG, &old, nullptr);
  return status;
}

}  // namespace echo_exporter
