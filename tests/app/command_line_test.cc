#include "src/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "echo_exporter");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

/// Throws, which fails the test, when the arguments stand for anything else.
DaemonOptions ParseDaemon(const std::vector<const char*>& arguments) {
  return std::get<DaemonOptions>(Parse(arguments));
}
PingOptions ParsePing(const std::vector<const char*>& arguments) {
  return std::get<PingOptions>(Parse(arguments));
}
ImmediateExit ParseExit(const std::vector<const char*>& arguments) {
  return std::get<ImmediateExit>(Parse(arguments));
}

TEST(CommandLineTest, RunsTheDaemonWithDefaults) {
  const DaemonOptions options = ParseDaemon({});
  EXPECT_EQ(options.config_file, "echo_exporter.toml");
  EXPECT_FALSE(options.check_only);
  EXPECT_EQ(options.web_config_file, "");
  EXPECT_THAT(options.listen_addresses, IsEmpty());
  EXPECT_EQ(options.log.level, LogLevel::kInfo);
  EXPECT_EQ(options.log.format, LogFormat::kLogfmt);
}

TEST(CommandLineTest, ReadsEveryOptionOfTheDaemon) {
  const DaemonOptions options = ParseDaemon(
      {"--config.file=my file.toml", "--config.check",
       "--web.listen-address=127.0.0.1:9000", "--web.config.file=web.yml",
       "--log.level=debug", "--log.format=json"});
  EXPECT_EQ(options.config_file, "my file.toml");
  EXPECT_TRUE(options.check_only);
  EXPECT_EQ(options.web_config_file, "web.yml");
  ASSERT_EQ(options.listen_addresses.size(), 1U);
  EXPECT_EQ(options.listen_addresses[0].host, "127.0.0.1");
  EXPECT_EQ(options.listen_addresses[0].port, 9000);
  EXPECT_EQ(options.log.level, LogLevel::kDebug);
  EXPECT_EQ(options.log.format, LogFormat::kJson);
}

TEST(CommandLineTest, TakesValuesAfterASpaceToo) {
  const DaemonOptions options =
      ParseDaemon({"--config.file", "a.toml", "--log.level", "warn"});
  EXPECT_EQ(options.config_file, "a.toml");
  EXPECT_EQ(options.log.level, LogLevel::kWarn);
}

TEST(CommandLineTest, TakesListenAddressesMoreThanOnce) {
  const DaemonOptions options = ParseDaemon(
      {"--web.listen-address", ":9000", "--web.listen-address=[::1]:9001",
       "--web.listen-address", "localhost:9002"});
  ASSERT_EQ(options.listen_addresses.size(), 3U);
  EXPECT_EQ(options.listen_addresses[0].host, "");
  EXPECT_EQ(options.listen_addresses[0].port, 9000);
  EXPECT_EQ(options.listen_addresses[1].host, "::1");
  EXPECT_EQ(options.listen_addresses[1].port, 9001);
  EXPECT_EQ(options.listen_addresses[2].host, "localhost");
}

TEST(CommandLineTest, ReadsPingWithDefaults) {
  const PingOptions options = ParsePing({"ping", "192.0.2.1"});
  EXPECT_EQ(options.destination, "192.0.2.1");
  EXPECT_EQ(options.source, "auto");
  EXPECT_EQ(options.count, 4U);
  EXPECT_EQ(options.interval, seconds(1));
  EXPECT_EQ(options.echo.timeout, seconds(1));
  EXPECT_EQ(options.echo.payload_size, 32);
  EXPECT_EQ(options.echo.ttl, 128);
}

TEST(CommandLineTest, ReadsEveryOptionOfPing) {
  const PingOptions options = ParsePing(
      {"ping", "--source", "Ethernet 2", "--count=0", "--interval=1m",
       "--timeout", "250ms", "--size=65500", "--ttl=255", "dns.example.net"});
  EXPECT_EQ(options.destination, "dns.example.net");
  EXPECT_EQ(options.source, "Ethernet 2");
  EXPECT_EQ(options.count, 0U);
  EXPECT_EQ(options.interval, minutes(1));
  EXPECT_EQ(options.echo.timeout, milliseconds(250));
  EXPECT_EQ(options.echo.payload_size, 65500);
  EXPECT_EQ(options.echo.ttl, 255);
}

TEST(CommandLineTest, AcceptsTheEndsOfEveryRange) {
  EXPECT_EQ(ParsePing({"ping", "a", "--interval=10ms"}).interval,
            milliseconds(10));
  EXPECT_EQ(ParsePing({"ping", "a", "--interval=1h"}).interval, minutes(60));
  EXPECT_EQ(ParsePing({"ping", "a", "--timeout=1ms"}).echo.timeout,
            milliseconds(1));
  EXPECT_EQ(ParsePing({"ping", "a", "--timeout=1m"}).echo.timeout, seconds(60));
  EXPECT_EQ(ParsePing({"ping", "a", "--size=0"}).echo.payload_size, 0);
  EXPECT_EQ(ParsePing({"ping", "a", "--ttl=1"}).echo.ttl, 1);
  EXPECT_EQ(ParsePing({"ping", "a", "--ttl=49"}).echo.ttl, 49);  // not '1'
}

struct BadLine {
  std::vector<const char*> arguments;
  std::vector<const char*> said;  ///< the option, and what is allowed
};

TEST(CommandLineTest, SaysWhichOptionIsBadAndWhatIsAllowed) {
  const BadLine kBadLines[] = {
      {{"--config.file"}, {"--config.file"}},
      {{"--web.listen-address=nowhere"}, {"--web.listen-address", "nowhere"}},
      {{"--web.listen-address=127.0.0.1:99999"},
       {"--web.listen-address", "127.0.0.1:99999", ":10115"}},
      {{"--web.listen-address", ":9000", ":9001"}, {":9001"}},
      {{"--log.level=loud"},
       {"--log.level", "loud", "debug", "info", "warn", "error"}},
      {{"--log.format=xml"}, {"--log.format", "xml", "logfmt", "json"}},
      {{"--log.level=warn", "--log.level=info"}, {"--log.level"}},
      {{"--nonsense"}, {"--nonsense"}},
      {{"nonsense"}, {"nonsense"}},
      {{"ping"}, {"destination"}},
      {{"ping", "a", "b"}, {"b"}},
      {{"ping", "a", "--count=-1"}, {"--count", "-1", "0", "1000000000"}},
      {{"ping", "a", "--count=many"}, {"--count", "many"}},
      {{"ping", "a", "--interval=1"}, {"--interval", "10ms .. 1h", "not 1"}},
      {{"ping", "a", "--interval=9ms"}, {"--interval", "10ms .. 1h", "9ms"}},
      {{"ping", "a", "--interval=61m"}, {"--interval", "10ms .. 1h", "61m"}},
      {{"ping", "a", "--timeout=0s"}, {"--timeout", "1ms .. 1m", "0s"}},
      {{"ping", "a", "--timeout=2m"}, {"--timeout", "1ms .. 1m", "2m"}},
      {{"ping", "a", "--size=65501"}, {"--size", "65501", "0", "65500"}},
      {{"ping", "a", "--size=-1"}, {"--size", "-1", "0", "65500"}},
      {{"ping", "a", "--ttl=0"}, {"--ttl", "0", "1", "255"}},
      {{"ping", "a", "--ttl=256"}, {"--ttl", "256", "1", "255"}},
      {{"ping", "a", "--ttl=3.5"}, {"--ttl", "3.5"}},
      {{"ping", "a", "--config.file=x"}, {"--config.file"}},
  };
  for (const BadLine& line : kBadLines) {
    std::string text;
    for (const char* const argument : line.arguments) {
      text += std::string(" ") + argument;
    }
    SCOPED_TRACE(text);
    const CommandLine command = Parse(line.arguments);
    const auto* const exit = std::get_if<ImmediateExit>(&command);
    ASSERT_NE(exit, nullptr);
    EXPECT_EQ(exit->code, 2);
    EXPECT_THAT(exit->text, StartsWith("echo_exporter: "));
    for (const char* const said : line.said) {
      EXPECT_THAT(exit->text, HasSubstr(said));
    }
  }
}

TEST(CommandLineTest, HelpNamesEveryOptionOfTheDaemonAndPing) {
  for (const char* const flag : {"--help", "-h"}) {
    const ImmediateExit exit = ParseExit({flag});
    EXPECT_EQ(exit.code, 0);
    EXPECT_THAT(
        exit.text,
        AllOf(HasSubstr("--config.file"), HasSubstr("--config.check"),
              HasSubstr("--web.listen-address"), HasSubstr("--web.config.file"),
              HasSubstr("--log.level"), HasSubstr("--log.format"),
              HasSubstr("--version"), HasSubstr("--help"), HasSubstr("ping"),
              HasSubstr("echo_exporter.toml")));
  }
}

TEST(CommandLineTest, HelpOfPingNamesEveryOptionOfPing) {
  const ImmediateExit exit = ParseExit({"ping", "--help"});
  EXPECT_EQ(exit.code, 0);
  EXPECT_THAT(exit.text, AllOf(HasSubstr("destination"), HasSubstr("--source"),
                               HasSubstr("--count"), HasSubstr("--interval"),
                               HasSubstr("--timeout"), HasSubstr("--size"),
                               HasSubstr("--ttl"), HasSubstr("10ms .. 1h")));
  EXPECT_THAT(exit.text, testing::Not(HasSubstr("--config.file")));
}

TEST(CommandLineTest, VersionIsOneLine) {
  const ImmediateExit exit = ParseExit({"--version"});
  EXPECT_EQ(exit.code, 0);
  EXPECT_THAT(exit.text, StartsWith("echo_exporter, version "));
  EXPECT_EQ(exit.text.find('\n'), exit.text.size() - 1);
}

TEST(CommandLineTest, TheHelpOfPingShowsItsDefaults) {
  const std::string text = ParseExit({"ping", "--help"}).text;
  EXPECT_THAT(text, AllOf(HasSubstr("=32"), HasSubstr("=128"), HasSubstr("=1s"),
                          HasSubstr("=auto")));
}

TEST(CommandLineTest, ReadsWhereTheLogGoes) {
  const LogOptions log =
      ParseDaemon({"--log.file=a b.log", "--log.file.max-size=2MiB",
                   "--log.file.keep=0"})
          .log;
  EXPECT_EQ(log.file, "a b.log");
  EXPECT_EQ(log.max_file_size, 2U << 20);
  EXPECT_EQ(log.kept_files, 0U);
  EXPECT_EQ(ParseDaemon({}).log.max_file_size, 100U << 20);
  EXPECT_EQ(ParseDaemon({}).log.kept_files, 3U);
  for (const char* const wrong :
       {"--log.file.max-size=0", "--log.file.max-size=much",
        "--log.file.max-size=-1", "--log.file.keep=-1",
        "--log.file.keep=1001"}) {
    EXPECT_EQ(ParseExit({wrong}).code, kExitUsage) << wrong;
  }
}

ServiceOptions ParseService(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "service");
  return std::get<ServiceOptions>(Parse(arguments));
}

TEST(CommandLineTest, ReadsEveryServiceAction) {
  using Action = ServiceOptions::Action;
  EXPECT_EQ(ParseService({"install"}).action, Action::kInstall);
  EXPECT_EQ(ParseService({"uninstall"}).action, Action::kUninstall);
  EXPECT_EQ(ParseService({"start"}).action, Action::kStart);
  EXPECT_EQ(ParseService({"stop"}).action, Action::kStop);
  EXPECT_EQ(ParseService({"reload"}).action, Action::kReload);
  EXPECT_EQ(ParseService({"status"}).action, Action::kStatus);
  EXPECT_EQ(ParseService({"configure"}).action, Action::kConfigure);
}

TEST(CommandLineTest, RefusesServiceWithoutAnActionOrWithWhatIsNotAllowed) {
  EXPECT_EQ(ParseExit({"service"}).code, kExitUsage);
  EXPECT_EQ(ParseExit({"service", "dance"}).code, kExitUsage);
  EXPECT_EQ(ParseExit({"service", "install", "--colour"}).code, kExitUsage);
  EXPECT_EQ(ParseExit({"service", "install", "--log.level=loud"}).code,
            kExitUsage);
  EXPECT_EQ(ParseExit({"service", "start", "--log.level=info"}).code,
            kExitUsage);
  EXPECT_EQ(ParseExit({"service", "install", "--config.check"}).code,
            kExitUsage);
}

std::vector<const char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

TEST(CommandLineTest, InstalledServicesGetTheOptionsGivenOnEitherSide) {
  const ServiceOptions service = std::get<ServiceOptions>(
      Parse({"--log.level=debug", "service", "install",
             "--config.file=my file.toml", "--log.file.max-size=1KiB",
             "--log.file=x.log", "--web.listen-address=127.0.0.1:9000",
             "--web.listen-address=[::1]:9001"}));
  const DaemonOptions options = ParseDaemon(Pointers(service.daemon_arguments));
  EXPECT_EQ(options.log.level, LogLevel::kDebug);
  EXPECT_EQ(options.log.max_file_size, 1024U);
  ASSERT_EQ(options.listen_addresses.size(), 2U);
  EXPECT_EQ(options.listen_addresses[1].port, 9001);
  // A service does not start in the folder in which it was installed.
  const auto folder = std::filesystem::current_path();
  EXPECT_EQ(options.config_file, (folder / "my file.toml").string());
  EXPECT_EQ(options.log.file, (folder / "x.log").string());
}

TEST(CommandLineTest, InstalledServicesAlwaysNameTheirConfiguration) {
  const auto file = std::filesystem::current_path() / "echo_exporter.toml";
  EXPECT_THAT(ParseService({"install"}).daemon_arguments,
              testing::ElementsAre("--config.file=" + file.string()));
}

}  // namespace
}  // namespace echo_exporter
