#include "src/http/fair_turns.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace echo_exporter {
namespace {

IpAddress Client(std::uint8_t number) {
  return IpAddress::V4({192, 0, 2, number});
}

class FairTurnsTest : public testing::Test {
 protected:
  ~FairTurnsTest() override {
    for (std::thread& thread : threads_) thread.join();
  }

  /// Threads that each take one turn, and give it back at once.
  void Start(std::size_t count, std::uint8_t client) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, client] {
        const bool begun = turns_.Begin(Client(client));
        {
          const MutexLock lock(mutex_);
          (begun ? served_ : rejected_).push_back(client);
          changed_.NotifyAll();
        }
        if (begun) turns_.End();
      });
    }
  }

  std::vector<std::uint8_t> WaitForRejected(std::size_t count) {
    const MutexLock lock(mutex_);
    while (rejected_.size() < count) changed_.Wait(mutex_);
    return rejected_;
  }

  std::vector<std::uint8_t> WaitForServed(std::size_t count) {
    const MutexLock lock(mutex_);
    while (served_.size() < count) changed_.Wait(mutex_);
    return served_;
  }

  FairTurns turns_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::uint8_t> served_ GUARDED_BY(mutex_);
  std::vector<std::uint8_t> rejected_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

using Clients = std::vector<std::uint8_t>;

// A thread is rejected only when all others of its client are waiting, so that
// each step begins when the one before is complete.
TEST_F(FairTurnsTest, GoesRoundTheClientsAndMakesRoomForTheOneWithTheFewest) {
  ASSERT_TRUE(turns_.Begin(Client(1)));
  Start(FairTurns::kMostOfOneClient + 1, 1);
  EXPECT_EQ(WaitForRejected(1), (Clients{1}));
  Start(FairTurns::kMostOfOneClient + 1, 2);
  EXPECT_EQ(WaitForRejected(2), (Clients{1, 2}));
  static_assert(FairTurns::kMostOfAll == 2 * FairTurns::kMostOfOneClient);
  Start(1, 3);
  EXPECT_EQ(WaitForRejected(3), (Clients{1, 2, 1}));
  turns_.End();
  const Clients served = WaitForServed(FairTurns::kMostOfAll);
  EXPECT_EQ(Clients(served.begin(), served.begin() + 6),
            (Clients{2, 3, 1, 2, 1, 2}));
}

TEST_F(FairTurnsTest, IsFreeAgainAfterTheLast) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(turns_.Begin(Client(1)));
    turns_.End();
  }
}

}  // namespace
}  // namespace echo_exporter
