#include "src/base/unique_handle_windows.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace echo_exporter {
namespace {

std::vector<int>& Closed() {
  static std::vector<int> closed;
  return closed;
}

struct RecordingTraits {
  using Handle = int;
  static Handle Invalid() { return -1; }
  static void Close(Handle handle) { Closed().push_back(handle); }
};

using RecordingHandle = UniqueHandle<RecordingTraits>;

class UniqueHandleTest : public testing::Test {
 protected:
  UniqueHandleTest() { Closed().clear(); }
};

TEST_F(UniqueHandleTest, ClosesOnceAtTheEnd) {
  {
    const RecordingHandle handle(7);
    EXPECT_TRUE(handle);
    EXPECT_EQ(handle.get(), 7);
  }
  EXPECT_EQ(Closed(), std::vector<int>{7});
}

TEST_F(UniqueHandleTest, ClosesNothingWhenEmpty) {
  {
    RecordingHandle handle;
    EXPECT_FALSE(handle);
    handle.reset();
  }
  EXPECT_TRUE(Closed().empty());
}

TEST_F(UniqueHandleTest, MovesByConstruction) {
  RecordingHandle from(7);
  const RecordingHandle to(std::move(from));
  EXPECT_EQ(to.get(), 7);
  EXPECT_TRUE(Closed().empty());
}

TEST_F(UniqueHandleTest, ClosesWhatAMoveReplaces) {
  {
    RecordingHandle from(7);
    RecordingHandle to(8);
    to = std::move(from);
    EXPECT_EQ(Closed(), std::vector<int>{8});
    EXPECT_EQ(to.get(), 7);
  }
  EXPECT_EQ(Closed(), (std::vector<int>{8, 7}));
}

TEST_F(UniqueHandleTest, SurvivesAMoveToItself) {
  RecordingHandle handle(7);
  RecordingHandle& same = handle;
  handle = std::move(same);
  EXPECT_EQ(handle.get(), 7);
  EXPECT_TRUE(Closed().empty());
}

TEST_F(UniqueHandleTest, ReleasesWithoutClosing) {
  {
    RecordingHandle handle(7);
    EXPECT_EQ(handle.release(), 7);
    EXPECT_FALSE(handle);
  }
  EXPECT_TRUE(Closed().empty());
}

TEST_F(UniqueHandleTest, ClosesWhatAResetReplaces) {
  RecordingHandle handle(7);
  handle.reset(8);
  EXPECT_EQ(Closed(), std::vector<int>{7});
  EXPECT_EQ(handle.get(), 8);
}

TEST(UniqueKernelHandleTest, ClosesAnEvent) {
  UniqueKernelHandle event(CreateEventW(nullptr, FALSE, FALSE, nullptr));
  ASSERT_TRUE(event);
  const HANDLE raw = event.get();
  event.reset();
  DWORD flags = 0;
  EXPECT_FALSE(GetHandleInformation(raw, &flags));
}

}  // namespace
}  // namespace echo_exporter
