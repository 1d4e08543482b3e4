#include "src/app/stop_signal.h"

#include <gtest/gtest.h>

#include <thread>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(StopSignalTest, IsNotRaisedAtFirst) {
  const auto stop = StopSignal::Create();
  EXPECT_FALSE(stop->WaitFor(Nanoseconds::zero()));
  EXPECT_FALSE(stop->WaitFor(milliseconds(1)));
}

TEST(StopSignalTest, StaysOnceRaised) {
  const auto stop = StopSignal::Create();
  stop->Raise();
  stop->Raise();
  EXPECT_TRUE(stop->WaitFor(Nanoseconds::zero()));
  EXPECT_TRUE(stop->WaitFor(hours(1)));
  stop->Wait();
}

TEST(StopSignalTest, WakesEveryThreadThatWaits) {
  const auto stop = StopSignal::Create();
  std::thread first([&] { stop->Wait(); });
  std::thread second([&] { EXPECT_TRUE(stop->WaitFor(hours(1))); });
  stop->Raise();
  first.join();
  second.join();
}

TEST(StopSignalTest, StartsAnewForTheNext) {
  StopSignal::Create()->Raise();
  EXPECT_FALSE(StopSignal::Create()->WaitFor(Nanoseconds::zero()));
}

}  // namespace
}  // namespace echo_exporter
