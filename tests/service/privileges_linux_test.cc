#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "echo_exporter/echo_transport.h"
#include "src/base/unique_fd_posix.h"
#include "src/service/service.h"
#include "tests/support/result_log.h"
#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

/// The threads' values of a line of /proc/self/task/*/status that are not
/// `expected`.
std::vector<std::string> Others(const std::string& name,
                                const std::string& expected) {
  std::vector<std::string> others;
  std::error_code ignored;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with(name + ":\t")) continue;
      const std::string value = line.substr(name.size() + 2);
      if (value != expected) others.push_back(value);
    }
  }
  return others;
}

bool AllThreadsHave(const std::string& name, const std::string& value) {
  const auto others = Others(name, value);
  for (const std::string& other : others) {
    std::cerr << name << " is " << other << "\n";
  }
  return others.empty();
}

constexpr const char* kNothing = "0000000000000000";
constexpr const char* kNetRaw = "0000000000002000";

bool MayOpenRawSockets() {
  return bool(UniqueFd(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)));
}

/// `capabilities`: those that this process has and may use.
bool NothingIsLeftBut(const std::string& capabilities) {
  return AllThreadsHave("CapEff", capabilities) &&
         AllThreadsHave("CapPrm", capabilities) &&
         AllThreadsHave("CapInh", kNothing) &&
         AllThreadsHave("CapAmb", kNothing) &&
         AllThreadsHave("NoNewPrivs", "1") &&
         (geteuid() != 0 || AllThreadsHave("CapBnd", kNothing));
}

// In a child process: what is dropped does not come back.
class PrivilegesDeathTest : public testing::Test {
 protected:
  PrivilegesDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  void SetUp() override {
    if (kThreadSanitizer) {
      GTEST_SKIP() << "the thread sanitizer has a thread without signals";
    }
  }
};

TEST_F(PrivilegesDeathTest, DropsTheCapabilitiesOfEveryThread) {
  EXPECT_EXIT(
      {
        std::thread([] {
          for (;;) pause();
        }).detach();
        std::thread([] {
          for (;;) poll(nullptr, 0, -1);
        }).detach();
        std::thread([] {
          for (;;) std::this_thread::yield();
        }).detach();
        const bool dropped = DropPrivileges({}).ok();
        std::thread([&] {
          std::_Exit(dropped && NothingIsLeftBut(kNothing) ? 0 : 1);
        }).join();
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, DropsThoseOfThreadsThatStartMeanwhile) {
  EXPECT_EXIT(
      {
        // Each ends when it has started the next; the last one stays.
        struct Chain {
          static void Next(int links) {
            // Which a signal ends.
            // NOLINTNEXTLINE(bugprone-infinite-loop)
            while (links == 0) pause();
            std::thread(Next, links - 1).detach();
          }
        };
        for (int i = 0; i < 4; ++i) Chain::Next(100);
        const bool dropped = DropPrivileges({}).ok();
        std::_Exit(dropped && NothingIsLeftBut(kNothing) ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, KeepsTheRightToOpenRawSocketsWhereItIsNeeded) {
  if (!MayOpenRawSockets()) {
    GTEST_SKIP() << "this user may not open raw sockets";
  }
  EXPECT_EXIT(
      {
        std::thread([] {
          for (;;) pause();
        }).detach();
        const bool dropped = DropPrivileges({.raw_sockets = true}).ok();
        std::_Exit(dropped && MayOpenRawSockets() && NothingIsLeftBut(kNetRaw)
                       ? 0
                       : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, GivesUpTheRightToOpenRawSocketsForGood) {
  EXPECT_EXIT(
      {
        const bool dropped = DropPrivileges({}).ok() &&
                             DropPrivileges({.raw_sockets = true}).ok();
        std::_Exit(dropped && !MayOpenRawSockets() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, DropsTwiceAsWellAsOnce) {
  EXPECT_EXIT(
      std::_Exit(DropPrivileges({}).ok() && DropPrivileges({}).ok() ? 0 : 1),
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, LeavesTheSignalAsItWas) {
  EXPECT_EXIT(
      {
        static_cast<void>(DropPrivileges({}));
        raise(SIGURG);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDeathTest, LeavesSocketsAtWork) {
  if (!CreateEchoTransport({}, [](const EchoResult&) {}).ok()) {
    GTEST_SKIP() << "this user may open neither kind of ICMP socket";
  }
  EXPECT_EXIT(
      {
        ResultLog results;
        const auto transport = CreateEchoTransport(
            {}, [&](const EchoResult& result) { results.Add(result); });
        EchoRequest request;
        request.destination = *IpAddress::Parse("127.0.0.1");
        request.timeout = std::chrono::seconds(60);
        const bool raw = transport.value()->NeedsRawSockets();
        bool good = DropPrivileges({.raw_sockets = raw}).ok();
        for (std::size_t i = 1; i <= 3; ++i) {
          request.tag = i;
          request.payload_size = static_cast<std::uint16_t>(1000 * i);
          request.ttl = static_cast<std::uint8_t>(i);
          request.dont_fragment = i == 2;
          transport.value()->Send(request);
          results.WaitForSize(i);
          good =
              good && results.results().back().outcome == EchoOutcome::kReply;
        }
        std::_Exit(good && NothingIsLeftBut(raw ? kNetRaw : kNothing) ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace echo_exporter
