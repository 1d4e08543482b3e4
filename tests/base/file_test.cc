#include "src/base/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

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

TEST(FindFilesTest, FindsWhatMatchesInOrder) {
  const TemporaryFolder folder;
  const std::string b = folder.Write("b.json", "");
  const std::string a = folder.Write("a\xc3\xbc.json", "");
  folder.Write("a.jso", "");
  const auto found = [&](const std::string& pattern) {
    const auto paths = FindFiles(folder.Path(pattern));
    return paths.ok() ? paths.value() : std::vector<std::string>{"error"};
  };
  EXPECT_EQ(found("*.json"), (std::vector<std::string>{a, b}));
  EXPECT_EQ(found("b*.json"), (std::vector<std::string>{b}));
  // The ends of a name may not overlap.
  EXPECT_EQ(found("b.json*b.json"), std::vector<std::string>());
  EXPECT_EQ(found("none"), (std::vector<std::string>{folder.Path("none")}));
  const auto missing = FindFiles(folder.Path("none/*"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(FindFiles(folder.Path("b.json/*")).ok(), false);
}

TEST(MatchesPatternTest, TheStarIsNoFolder) {
  EXPECT_TRUE(MatchesPattern("a/*.json", "a/b.json"));
  EXPECT_TRUE(MatchesPattern("a/*.json", "a/.json"));
  EXPECT_TRUE(MatchesPattern("a/b.json", "a/b.json"));
  for (const char* const path :
       {"a/b/c.json", "a/b.yml", "b.json", "a/.jso", "x/a/b.json"}) {
    EXPECT_FALSE(MatchesPattern("a/*.json", path)) << path;
  }
  EXPECT_FALSE(MatchesPattern("a/b.json", "a/c.json"));
}

TEST(HashOfTest, DiffersForOtherContentAndErrors) {
  const auto of = [](const std::string& text) { return HashOf(text); };
  const auto of_error = [](const std::string& text) {
    return HashOf(Error{ErrorCode::kNotFound, text});
  };
  EXPECT_EQ(of("a"), of("a"));
  EXPECT_NE(of("a"), of("b"));
  EXPECT_NE(of("a"), of_error("a"));
  EXPECT_NE(of_error("a"), of_error("b"));
}

TEST(WriteFileTest, PutsTheWholeFileInThePlaceOfTheOldOne) {
  const TemporaryFolder folder;
  const std::string path = folder.Path(
      "b\xC3\xBC"
      "cher");
  const std::string large(5'000'000, 'x');
  ASSERT_TRUE(WriteFile(path, large).ok());
  EXPECT_EQ(ReadFile(path, large.size()).value(), large);
  ASSERT_TRUE(WriteFile(path, "").ok());
  EXPECT_EQ(ReadFile(path, 0).value(), "");
  EXPECT_FALSE(WriteFile(folder.Path("missing/file"), "x").ok());
  // What is in the place of the file stays.
  std::filesystem::create_directory(PathFromUtf8(folder.Path("folder")));
  EXPECT_FALSE(WriteFile(folder.Path("folder"), "x").ok());
  EXPECT_FALSE(
      std::filesystem::exists(PathFromUtf8(folder.Path("folder.new"))));
  EXPECT_TRUE(
      std::filesystem::is_directory(PathFromUtf8(folder.Path("folder"))));
}

}  // namespace
}  // namespace echo_exporter
