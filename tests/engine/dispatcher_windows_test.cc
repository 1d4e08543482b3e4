#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using DispatcherWindowsTest = DispatcherFixture;

TEST_F(DispatcherWindowsTest, RunsBeforeWhatComputes) {
  Start();
  std::atomic<int> priority = 0;
  EchoRequest request;
  request.destination = kMarker;
  // The network answers on the thread that sends.
  rig_.dispatcher.Submit(request, [&](const EchoResult& result) {
    priority = GetThreadPriority(GetCurrentThread());
    markers_.Add(result);
  });
  markers_.WaitForSize(++markers_sent_);
  EXPECT_EQ(priority, THREAD_PRIORITY_ABOVE_NORMAL);
}

}  // namespace
}  // namespace echo_exporter
