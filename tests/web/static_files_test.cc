#include "src/web/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/source_file.h"

namespace echo_exporter {
namespace {

using testing::Contains;
using testing::MatchesRegex;
using testing::Pair;

const StaticFile& Named(std::string_view name) {
  return *std::ranges::find(StaticFiles(), name, &StaticFile::name);
}
const StaticFile& Script() { return Named(ScriptName()); }
const StaticFile& Style() { return Named(StyleName()); }

std::string ReadParts(const std::vector<const char*>& names) {
  std::string text;
  for (const char* const name : names) {
    text += ReadSourceFile(std::string("src/web/static/") + name);
  }
  return text;
}

TEST(StaticFilesTest, AreTheFilesOfTheSourceTree) {
  EXPECT_EQ(Script().bytes,
            ReadParts({"base.js", "place.js", "table.js", "chart.js", "pair.js",
                       "matrix.js", "page.js"}));
  EXPECT_EQ(Style().bytes, ReadParts({"page.css"}));
}

TEST(StaticFilesTest, AreSmall) {
  EXPECT_LT(Script().bytes.size() + Style().bytes.size(), 60'000U);
}

TEST(StaticFilesTest, HaveNamesThatTellTheirContent) {
  EXPECT_THAT(std::string(ScriptName()), MatchesRegex("page\\.\\w+\\.js"));
  EXPECT_THAT(std::string(StyleName()), MatchesRegex("page\\.\\w+\\.css"));
}

TEST(StaticFilesTest, AreKeptByBrowsersForGood) {
  const HttpResponse response = RespondWithFile(Style());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/css; charset=utf-8");
  EXPECT_THAT(
      response.headers,
      Contains(Pair("Cache-Control", "private, max-age=31536000, immutable")));
  std::string body;
  response.write_body([&body](std::string_view piece) {
    body += piece;
    return true;
  });
  EXPECT_EQ(body, Style().bytes);
}

}  // namespace
}  // namespace echo_exporter
