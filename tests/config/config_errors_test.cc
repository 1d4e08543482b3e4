#include <gtest/gtest.h>

#include <string>

#include "echo_exporter/config.h"
#include "tests/config/invalid_files.h"
#include "tests/support/source_file.h"

namespace echo_exporter {
namespace {

// For each rule a file that breaks it, invalid-<rule>.toml, and beside it, in
// invalid-<rule>.txt, all that is said about it: one "line:column: sentence" a
// line.
constexpr const char* kTestData = "tests/config/testdata";

TEST(ConfigErrorsTest, EveryInvalidFileHasItsMessagesBesideIt) {
  EXPECT_EQ(FilesWithExtension(kTestData, ".toml"),
            FilesWithExtension(kTestData, ".txt"));
}

TEST(ConfigErrorsTest, SaysExactlyWhatIsWrongAndWhere) {
  const auto paths = FilesWithExtension(kTestData, ".toml");
  EXPECT_FALSE(paths.empty());
  for (const std::string& path : paths) {
    const ConfigOutcome outcome =
        ParseConfig(ReadSourceFile(path + ".toml"), "f");
    std::string messages;
    for (const std::string& error : outcome.errors) {
      EXPECT_EQ(error.substr(0, 2), "f:") << path;
      messages += error.substr(2) + '\n';
    }
    EXPECT_EQ(messages, ReadSourceFile(path + ".txt")) << path;
    EXPECT_FALSE(outcome.config) << path;
  }
}

}  // namespace
}  // namespace echo_exporter
