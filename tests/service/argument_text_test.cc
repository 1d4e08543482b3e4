#include "src/service/argument_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace echo_exporter {
namespace {

TEST(ArgumentTextTest, LeavesPlainArgumentsAlone) {
  EXPECT_EQ(QuoteArgument("--log.level=debug"), "--log.level=debug");
  EXPECT_EQ(QuoteArgument(R"(C:\a\b.toml)"), R"(C:\a\b.toml)");
  EXPECT_EQ(QuoteArgument(R"(\\server\share\)"), R"(\\server\share\)");
}

TEST(ArgumentTextTest, QuotesWhatHasSpacesAndWhatIsEmpty) {
  EXPECT_EQ(QuoteArgument(R"(--config.file=C:\Program Files\e.toml)"),
            R"("--config.file=C:\Program Files\e.toml")");
  EXPECT_EQ(QuoteArgument("a\tb"), "\"a\tb\"");
  EXPECT_EQ(QuoteArgument(""), R"("")");
}

TEST(ArgumentTextTest, DoublesBackslashesBeforeQuotationMarksOnly) {
  EXPECT_EQ(QuoteArgument(R"(say "a")"), R"("say \"a\"")");
  EXPECT_EQ(QuoteArgument(R"(a\"b)"), R"("a\\\"b")");
  EXPECT_EQ(QuoteArgument(R"(C:\my folder\)"), R"("C:\my folder\\")");
  EXPECT_EQ(QuoteArgument(R"(C:\my\\folder x\y)"), R"("C:\my\\folder x\y")");
}

// The system would try C:\Program.exe for an unquoted C:\Program Files\e.exe.
TEST(ArgumentTextTest, AlwaysQuotesTheProgram) {
  EXPECT_EQ(JoinArguments({R"(C:\e.exe)", "--a", "b c"}),
            R"("C:\e.exe" --a "b c")");
}

}  // namespace
}  // namespace echo_exporter
