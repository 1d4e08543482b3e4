#include "src/discovery/target_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "src/base/file.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const ListText kList{.text = "[{\"targets\": [\"h\"]}]\n\n",
                     .etag = "\"7\"",
                     .changed = WallTime(std::chrono::seconds(1'700'000'000))};

class TargetStoreTest : public testing::Test {
 protected:
  /// The one file in the folder.
  std::string File() const {
    for (const auto& entry : std::filesystem::directory_iterator(
             PathFromUtf8(folder_.Path("state")))) {
      return PathToUtf8(entry.path());
    }
    return {};
  }
  static std::string Read(const std::string& path) {
    return ReadFile(path, 1'000'000).value();
  }

  TemporaryFolder folder_;
  TargetStore store_{folder_.Path("state")};
};

TEST_F(TargetStoreTest, ReturnsWhatWasSaved) {
  EXPECT_FALSE(store_.Load("https://x/?a=b"));
  store_.Save("https://x/?a=b", {.text = "old"});
  store_.Save("https://x/?a=b", kList);
  store_.Save("/other", {.text = ""});
  TargetStore another(folder_.Path("state"));
  const auto loaded = another.Load("https://x/?a=b");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->text, kList.text);
  EXPECT_EQ(loaded->etag, kList.etag);
  EXPECT_EQ(loaded->changed, kList.changed);
  store_.Remove("https://x/?a=b");
  EXPECT_FALSE(another.Load("https://x/?a=b"));
  ASSERT_TRUE(another.Load("/other"));
}

TEST_F(TargetStoreTest, KnowsWhatWasThereAtFirst) {
  EXPECT_THAT(store_.FirstNames(), IsEmpty());
  store_.Save("/b", kList);
  store_.Save("https://x/?a=b", kList);
  folder_.Write("state/other", "text");
  folder_.Write("state/0.targets", "echo_exporter target list, version 2\n");
  TargetStore another(folder_.Path("state"));
  EXPECT_THAT(another.FirstNames(),
              UnorderedElementsAre("/b", "https://x/?a=b"));
  another.Save("/c", kList);
  EXPECT_THAT(another.FirstNames(), SizeIs(2));
  EXPECT_THAT(TargetStore("").FirstNames(), IsEmpty());
}

TEST_F(TargetStoreTest, IgnoresEveryFileThatIsNotWholeOrAnothers) {
  store_.Save("a", kList);
  const std::string path = File();
  const std::string good = Read(path);
  ASSERT_TRUE(store_.Load("a"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::ofstream(PathFromUtf8(path), std::ios::binary) << good.substr(0, size);
    EXPECT_FALSE(store_.Load("a")) << size;
  }
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::ofstream(PathFromUtf8(path), std::ios::binary) << bad;
    EXPECT_FALSE(store_.Load("a")) << i;
  }
  // Of another list with, say, the same hash.
  store_.Save("b", kList);
  std::filesystem::remove(PathFromUtf8(path));
  const std::string other = File();
  std::filesystem::rename(PathFromUtf8(other), PathFromUtf8(path));
  EXPECT_FALSE(store_.Load("a"));
}

TEST_F(TargetStoreTest, AFolderThatCannotBeWrittenToIsNoFailure) {
  folder_.Write("file", "");
  TargetStore store(folder_.Path("file"));
  EXPECT_FALSE(store.Save("a", kList));
  EXPECT_FALSE(store.Load("a"));
  EXPECT_THAT(store.FirstNames(), IsEmpty());
  TargetStore nowhere("");
  EXPECT_TRUE(nowhere.Save("a", kList));
  nowhere.Remove("a");
  EXPECT_FALSE(nowhere.Load("a"));
}

}  // namespace
}  // namespace echo_exporter
