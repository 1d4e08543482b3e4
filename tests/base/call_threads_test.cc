#include "src/base/call_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "tests/support/latch.h"

namespace echo_exporter {
namespace {

TEST(CallThreadsTest, RunsEveryCallHoweverManyBlock) {
  constexpr int kCalls = 50;
  Latch all(kCalls);
  Latch done(kCalls);
  CallThreads threads(2);
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(threads.Run([&] {
      all.arrive_and_wait();  // none ends before all have begun
      done.count_down();
    }));
  }
  done.wait();
}

TEST(CallThreadsTest, UsesAnIdleThreadAgain) {
  CallThreads threads(1);
  std::atomic<std::thread::id> id;
  const auto run = [&] {
    Latch done(1);
    EXPECT_TRUE(threads.Run([&] {
      id = std::this_thread::get_id();
      done.count_down();
    }));
    done.wait();
    return id.load();
  };
  // The thread counts as idle a moment after its call has ended.
  for (std::thread::id last = run(), next = run(); last != next; next = run()) {
    last = next;
  }
}

TEST(CallThreadsTest, WaitsAtItsEndForCallsInProgress) {
  Latch begun(1);
  Latch release(1);
  std::atomic<bool> ended = false;
  std::optional<CallThreads> threads(std::in_place, 1);
  ASSERT_TRUE(threads->Run([&] {
    begun.count_down();
    release.wait();
    ended = true;
  }));
  begun.wait();
  std::thread releaser([&] { release.count_down(); });
  threads.reset();
  EXPECT_TRUE(ended);
  releaser.join();
}

// As an object of a library has, which the end of a thread destroys.
struct OfThread {
  ~OfThread() { ++ended; }
  static std::atomic<int> ended;
};
std::atomic<int> OfThread::ended = 0;

TEST(CallThreadsTest, HasNoThreadThatIsStillEndingAtItsEnd) {
  constexpr int kCalls = 20;
  OfThread::ended = 0;
  {
    Latch all(kCalls);
    CallThreads threads(1);
    for (int i = 0; i < kCalls; ++i) {
      ASSERT_TRUE(threads.Run([&] {
        [[maybe_unused]] thread_local const OfThread object;
        all.arrive_and_wait();
      }));
    }
    all.wait();
  }
  EXPECT_EQ(OfThread::ended, kCalls);
}

}  // namespace
}  // namespace echo_exporter
