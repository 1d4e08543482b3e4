#include "src/service/process_events.h"

#include <gtest/gtest.h>

#include <thread>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Event = ProcessEvents::Event;

constexpr Nanoseconds kNoTime = Nanoseconds::zero();

TEST(ProcessEventsTest, HearsNothingAtFirst) {
  const auto events = ProcessEvents::Create(true);
  EXPECT_EQ(events->WaitFor(kNoTime), std::nullopt);
  EXPECT_EQ(events->WaitFor(milliseconds(1)), std::nullopt);
}

TEST(ProcessEventsTest, AStopStays) {
  const auto events = ProcessEvents::Create(true);
  events->Raise(Event::kStop);
  events->Raise(Event::kStop);
  EXPECT_EQ(events->WaitFor(kNoTime), Event::kStop);
  EXPECT_EQ(events->WaitFor(hours(1)), Event::kStop);
  EXPECT_EQ(events->WaitFor(std::nullopt), Event::kStop);
}

TEST(ProcessEventsTest, AReloadIsHeardOnce) {
  const auto events = ProcessEvents::Create(true);
  events->Raise(Event::kReload);
  events->Raise(Event::kReload);
  EXPECT_EQ(events->WaitFor(hours(1)), Event::kReload);
  EXPECT_EQ(events->WaitFor(kNoTime), std::nullopt);
  events->Raise(Event::kReload);
  EXPECT_EQ(events->WaitFor(std::nullopt), Event::kReload);
}

TEST(ProcessEventsTest, AStopComesBeforeAReload) {
  const auto events = ProcessEvents::Create(true);
  events->Raise(Event::kReload);
  events->Raise(Event::kStop);
  EXPECT_EQ(events->WaitFor(hours(1)), Event::kStop);
  EXPECT_EQ(events->WaitFor(hours(1)), Event::kStop);
}

TEST(ProcessEventsTest, AStopWakesEveryThreadThatWaits) {
  const auto events = ProcessEvents::Create(true);
  const auto wait = [&] { EXPECT_EQ(events->WaitFor(hours(1)), Event::kStop); };
  std::thread first(wait);
  std::thread second(wait);
  events->Raise(Event::kStop);
  first.join();
  second.join();
}

TEST(ProcessEventsTest, StartAnewForTheNext) {
  for (const Event event : {Event::kStop, Event::kReload}) {
    ProcessEvents::Create(true)->Raise(event);
    EXPECT_EQ(ProcessEvents::Create(true)->WaitFor(kNoTime), std::nullopt);
  }
}

}  // namespace
}  // namespace echo_exporter
