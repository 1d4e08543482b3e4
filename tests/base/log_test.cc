#include "src/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace echo_exporter {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr std::string_view kTime = "2024-02-29T12:34:56.789Z";

std::string Logfmt(std::string_view message,
                   std::initializer_list<LogField> fields = {}) {
  return FormatLogLine(LogFormat::kLogfmt, kTime, LogLevel::kInfo, message,
                       fields);
}

std::string Json(std::string_view message,
                 std::initializer_list<LogField> fields = {}) {
  return FormatLogLine(LogFormat::kJson, kTime, LogLevel::kInfo, message,
                       fields);
}

TEST(LogTest, WritesLogfmt) {
  EXPECT_EQ(
      Logfmt("started",
             {{"pairs", "12"}, {"pair", "wan1 -> 192.0.2.1"}, {"source", ""}}),
      "time=2024-02-29T12:34:56.789Z level=info msg=started pairs=12 "
      "pair=\"wan1 -> 192.0.2.1\" source=\"\"");
}

TEST(LogTest, WritesJson) {
  EXPECT_EQ(Json("started", {{"pair", "wan1 -> 192.0.2.1"}}),
            R"({"time":"2024-02-29T12:34:56.789Z","level":"info",)"
            R"("msg":"started","pair":"wan1 -> 192.0.2.1"})");
}

TEST(LogTest, NamesEveryLevel) {
  for (const auto& [level, name] :
       {std::pair(LogLevel::kDebug, "debug"),
        std::pair(LogLevel::kInfo, "info"), std::pair(LogLevel::kWarn, "warn"),
        std::pair(LogLevel::kError, "error")}) {
    EXPECT_EQ(FormatLogLine(LogFormat::kLogfmt, "t", level, "m", {}),
              std::string("time=t level=") + name + " msg=m");
    EXPECT_EQ(ParseLogLevel(name), level);
  }
}

TEST(LogTest, ParsesOnlyKnownNames) {
  EXPECT_EQ(ParseLogFormat("logfmt"), LogFormat::kLogfmt);
  EXPECT_EQ(ParseLogFormat("json"), LogFormat::kJson);
  for (const char* text : {"", "INFO", "Json", "warning", "info "}) {
    EXPECT_FALSE(ParseLogLevel(text)) << text;
    EXPECT_FALSE(ParseLogFormat(text)) << text;
  }
}

TEST(LogTest, QuotesWhatWouldBreakLogfmt) {
  EXPECT_EQ(Logfmt("a=b"),
            "time=2024-02-29T12:34:56.789Z level=info "
            "msg=\"a=b\"");
  EXPECT_THAT(Logfmt("a\"b"), HasSubstr(R"(msg="a\"b")"));
  EXPECT_THAT(Logfmt("a\\b"), HasSubstr(R"(msg="a\\b")"));
  EXPECT_THAT(Logfmt("a\r\nlevel=error"),
              HasSubstr(R"(msg="a\r\nlevel=error")"));
  EXPECT_THAT(Logfmt("M\xc3\xbcnchen"), HasSubstr("msg=\"M\xc3\xbcnchen\""));
}

TEST(LogTest, KeepsAnyTextOnOneLineOfValidJson) {
  const std::string hostile[] = {"\n",
                                 "\r",
                                 std::string("\0", 1),
                                 "\x1b[31m",
                                 "\x7f",
                                 "\xff\xfe",
                                 "\xc3",
                                 "\"},{\"",
                                 "\xc2\x85",
                                 ("\xc2\x9b"
                                  "1m"),
                                 "\xe2\x80\xa8",
                                 "\xe2\x80\xae",
                                 "\xed\xa0\x80"};
  for (const std::string& text : hostile) {
    for (const std::string& line :
         {Logfmt(text, {{"field", text}}), Json(text, {{"field", text}})}) {
      for (const char* raw : {"\n", "\r", "\x1b", "\x7f", "\xff", "\xc2\x85",
                              "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xae"}) {
        EXPECT_EQ(line.find(raw), std::string::npos) << line;
      }
      EXPECT_EQ(line.find('\0'), std::string::npos) << line;
    }
    const auto parsed = nlohmann::json::parse(Json(text, {{"field", text}}));
    EXPECT_EQ(parsed.size(), 4U);
    EXPECT_EQ(parsed["msg"], parsed["field"]);
  }
  EXPECT_EQ(nlohmann::json::parse(Json("\xe2\x80\xa8 \n"))["msg"],
            "\xe2\x80\xa8 \n");
}

// Logs in a process of its own: after FlushLog() there is no more logging.
class LogDeathTest : public testing::Test {
 protected:
  LogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(LogDeathTest, WritesLinesToStandardErrorInOrder) {
  EXPECT_EXIT(
      {
        for (int i = 0; i < 100; ++i) {
          Log(LogLevel::kInfo, "line", {{"n", std::to_string(i)}});
        }
        FlushLog();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(ContainsRegex("time=2...-..-..T..:..:......Z level=info msg=line "
                          "n=0\n"),
            HasSubstr("msg=line n=98\n"), HasSubstr("msg=line n=99\n")));
}

TEST_F(LogDeathTest, LeavesOutWhatIsBelowTheLevel) {
  EXPECT_EXIT(
      {
        LogOptions options;
        options.level = LogLevel::kWarn;
        options.format = LogFormat::kJson;
        ConfigureLog(options);
        Log(LogLevel::kInfo, "quiet");
        Log(LogLevel::kWarn, "loud");
        FlushLog();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("\"msg\":\"loud\"}\n"), Not(HasSubstr("quiet"))));
}

TEST_F(LogDeathTest, WritesEachTextEveryTimeAndTheNumberOfTheOthers) {
  EXPECT_EXIT(
      {
        std::vector<std::string> errors;
        for (int i = 0; i < 50; ++i) errors.push_back(std::to_string(i) + ".");
        const std::vector<std::string> one = {"again"};
        LogEach(LogLevel::kError, "bad", "error", errors);
        errors.insert(errors.end(), {"50.", "51."});
        LogEach(LogLevel::kError, "worse", "error", errors);
        LogEach(LogLevel::kError, "bad", "error", one);
        LogEach(LogLevel::kError, "bad", "error", one);
        LogEach(LogLevel::kError, "none", "error", {});
        FlushLog();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("level=error msg=bad error=49.\n"),
            HasSubstr("msg=worse error=49.\n"),
            HasSubstr("msg=worse error=\"and 2 more\"\n"),
            ContainsRegex("msg=bad error=again\n.*msg=bad error=again\n"),
            Not(HasSubstr("error=50.")), Not(HasSubstr("msg=none"))));
}

TEST_F(LogDeathTest, IsSilentAfterTheFlush) {
  EXPECT_EXIT(
      {
        Log(LogLevel::kInfo, "early");
        FlushLog();
        Log(LogLevel::kInfo, "too late");
        FlushLog();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0),
      AllOf(HasSubstr("msg=early"), Not(HasSubstr("too late"))));
}

TEST_F(LogDeathTest, EndsWithoutAFlush) {
  EXPECT_EXIT(
      {
        Log(LogLevel::kInfo, "hello");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace echo_exporter
