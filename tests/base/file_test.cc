#include "src/base/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

TEST(ReadFileTest, ReadsFilesWhoseNameIsNotAscii) {
  const TemporaryFolder folder;
  const std::string path =
      folder.Write("Schl\xc3\xbcssel \xe2\x82\xac.pem", "a\r\nb");
  const auto text = ReadFile(path, 100);
  ASSERT_TRUE(text.ok()) << text.error().message;
  EXPECT_EQ(text.value(), "a\r\nb");
}

TEST(ReadFileTest, FailsWithTheCause) {
  const TemporaryFolder folder;
  const auto missing = ReadFile(folder.Path("none"), 100);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, std::generic_category().message(ENOENT));
  EXPECT_FALSE(ReadFile(folder.Path("."), 100).ok());
  const auto large = ReadFile(folder.Write("a", "12345"), 4);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().message, "the file is larger than 4 bytes");
}

TEST(FileStampTest, DiffersForOtherContentOrAnotherFile) {
  const TemporaryFolder folder;
  const std::string path = folder.Path("a");
  const FileStamp none = ReadFileStamp(path);
  EXPECT_FALSE(none.exists);
  folder.Write("a", "1");
  const FileStamp first = ReadFileStamp(path);
  EXPECT_TRUE(first.exists);
  EXPECT_EQ(ReadFileStamp(path), first);
  folder.Write("a", "22");
  EXPECT_NE(ReadFileStamp(path), first);
}

TEST(FileStampTest, DiffersWhenAnotherFileTakesTheName) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", "1");
  const FileStamp first = ReadFileStamp(path);
  std::filesystem::rename(PathFromUtf8(folder.Write("b", "1")),
                          PathFromUtf8(path));
  EXPECT_NE(ReadFileStamp(path).identity, first.identity);
}

}  // namespace
}  // namespace echo_exporter
