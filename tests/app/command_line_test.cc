#include "src/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
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
  EXPECT_TRUE(options.config_file_is_default);
  EXPECT_THAT(options.targets, IsEmpty());
  EXPECT_FALSE(options.check_only);
  EXPECT_EQ(options.web_config_file, "");
  EXPECT_THAT(options.listen_addresses, IsEmpty());
  EXPECT_EQ(options.timeout_offset, milliseconds(500));
  EXPECT_EQ(options.log.level, LogLevel::kInfo);
  EXPECT_EQ(options.log.format, LogFormat::kLogfmt);
}

TEST(CommandLineTest, ReadsEveryOptionOfTheDaemon) {
  const DaemonOptions options = ParseDaemon(
      {"--config.file=my file.toml", "--config.check",
       "--web.listen-address=127.0.0.1:9000", "--web.config.file=web.yml",
       "--timeout-offset=0.2", "--log.level=debug", "--log.format=json"});
  EXPECT_EQ(options.config_file, "my file.toml");
  EXPECT_FALSE(options.config_file_is_default);
  EXPECT_TRUE(options.check_only);
  EXPECT_EQ(options.web_config_file, "web.yml");
  ASSERT_EQ(options.listen_addresses.size(), 1U);
  EXPECT_EQ(options.listen_addresses[0].host, "127.0.0.1");
  EXPECT_EQ(options.listen_addresses[0].port, 9000);
  EXPECT_EQ(options.timeout_offset, milliseconds(200));
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

TEST(CommandLineTest, TakesTargetsInsteadOfAFile) {
  EXPECT_THAT(
      ParseDaemon({"--target", "a", "--target=192.0.2.1", "--target=@b"})
          .targets,
      testing::ElementsAre("a", "192.0.2.1", "@b"));
  const ImmediateExit exit = ParseExit({"--target=a", "--config.file=a.toml"});
  EXPECT_EQ(exit.code, kExitUsage);
  EXPECT_THAT(exit.text,
              testing::HasSubstr("--config.file and --target are mutually "
                                 "exclusive"));
}

TEST(CommandLineTest, TakesThePrefixFromTheExternalUrlUnlessItIsGiven) {
  const auto place = [](const std::vector<const char*>& arguments) {
    return ParseDaemon(arguments).web_place;
  };
  EXPECT_EQ(place({}).route_prefix, "");
  EXPECT_EQ(place({}).external_url, "");
  const char* const url = "--web.external-url=https://a.example/b/";
  EXPECT_EQ(place({url}).route_prefix, "/b");
  EXPECT_EQ(place({url}).external_url, "https://a.example/b");
  EXPECT_EQ(place({url, "--web.route-prefix=/"}).route_prefix, "");
  EXPECT_EQ(place({url, "--web.route-prefix=c/d/"}).route_prefix, "/c/d");
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

TEST(CommandLineTest, PingTakesTheShortOptionsOfLinux) {
  const PingOptions options =
      ParsePing({"ping", "-c", "3", "-i", "0.2", "-W", "2", "-s", "56", "-t",
                 "64", "-I", "eth0", "-n", "192.0.2.1"});
  EXPECT_EQ(options.destination, "192.0.2.1");
  EXPECT_EQ(options.count, 3U);
  EXPECT_EQ(options.interval, milliseconds(200));
  EXPECT_EQ(options.echo.timeout, seconds(2));
  EXPECT_EQ(options.echo.payload_size, 56);
  EXPECT_EQ(options.echo.ttl, 64);
  EXPECT_EQ(options.source, "eth0");
  EXPECT_EQ(options.echo.ip_version, IpPreference::kAny);
}

TEST(CommandLineTest, PingTakesShortOptionsAttachedToTheirValues) {
  const PingOptions options =
      ParsePing({"ping", "-c3", "-i.5", "-n4", "a.example.net"});
  EXPECT_EQ(options.count, 3U);
  EXPECT_EQ(options.interval, milliseconds(500));
  EXPECT_EQ(options.echo.ip_version, IpPreference::kV4Only);
}

TEST(CommandLineTest, TimesOfPingAreSecondsOrDurationsInBothSpellings) {
  EXPECT_EQ(ParsePing({"ping", "a", "-i", "200ms"}).interval,
            milliseconds(200));
  EXPECT_EQ(ParsePing({"ping", "a", "--interval=0.2"}).interval,
            milliseconds(200));
  EXPECT_EQ(ParsePing({"ping", "a", "--interval=1"}).interval, seconds(1));
  EXPECT_EQ(ParsePing({"ping", "a", "-W", "1m"}).echo.timeout, seconds(60));
  EXPECT_EQ(ParsePing({"ping", "a", "--timeout=1.5"}).echo.timeout,
            milliseconds(1500));
}

TEST(CommandLineTest, PingIsHeldToOneIpVersion) {
  EXPECT_EQ(ParsePing({"ping", "-4", "a"}).echo.ip_version,
            IpPreference::kV4Only);
  EXPECT_EQ(ParsePing({"ping", "-6", "a"}).echo.ip_version,
            IpPreference::kV6Only);
  const ImmediateExit exit = ParseExit({"ping", "-4", "-6", "a"});
  EXPECT_EQ(exit.code, kExitUsage);
  EXPECT_THAT(exit.text, HasSubstr("-4 and -6 are mutually exclusive"));
}

// On Windows the number of echo requests is "-n 4".
TEST(CommandLineTest, PingSaysWhatToUseInsteadOfACountBehindN) {
  EXPECT_EQ(ParseExit({"ping", "-n", "4", "192.0.2.1"}).text,
            "echo_exporter: ping takes one DESTINATION, not 4 and 192.0.2.1; "
            "-n takes no value: for the count, use -c\n"
            "Run 'echo_exporter ping --help' for usage.");
  EXPECT_THAT(ParseExit({"ping", "192.0.2.1", "-n", "4"}).text,
              HasSubstr("for the count, use -c"));
  EXPECT_EQ(ParseExit({"ping", "192.0.2.1", "192.0.2.2"}).text,
            "echo_exporter: ping takes one DESTINATION, not 192.0.2.1 and "
            "192.0.2.2\nRun 'echo_exporter ping --help' for usage.");
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
  EXPECT_EQ(ParsePing({"ping", "a", "--ttl=49"}).echo.ttl, 49);   // not '1'
  EXPECT_EQ(ParsePing({"ping", "a", "--ttl=010"}).echo.ttl, 10);  // not octal
  EXPECT_EQ(ParsePing({"ping", "a", "--count=1000000000"}).count, 1000000000U);
}

struct BadLine {
  std::vector<const char*> arguments;
  std::vector<const char*> said;  ///< the option, and what is allowed
};

TEST(CommandLineTest, SaysWhichOptionIsBadAndWhatIsAllowed) {
  const BadLine kBadLines[] = {
      {{"--config.file"}, {"--config.file: exactly one value is expected"}},
      {{"--web.listen-address=nowhere"}, {"--web.listen-address", "nowhere"}},
      {{"--web.listen-address=127.0.0.1:99999"},
       {"--web.listen-address", "127.0.0.1:99999", ":10115"}},
      {{"--web.listen-address", ":9000", ":9001"}, {":9001"}},
      {{"--log.level=loud"},
       {"--log.level", "debug, info, warn or error, not loud"}},
      {{"--log.format=xml"}, {"--log.format", "logfmt or json, not xml"}},
      {{"--log.level=warn", "--log.level=info"},
       {"--log.level: exactly one value is expected"}},
      {{"--nonsense"}, {"--nonsense"}},
      {{"nonsense"}, {"nonsense"}},
      {{"ping"}, {"DESTINATION is required"}},
      {{"ping", "a", "b"}, {"b"}},
      {{"ping", "a", "--count=-1"},
       {"--count", "from 0 to 1000000000", "not -1"}},
      {{"ping", "a", "--count=1000000001"},
       {"--count", "from 0 to 1000000000", "not 1000000001"}},
      {{"ping", "a", "--count=many"}, {"--count", "many"}},
      {{"--config.auto-reload-interval=0s"},
       {"--config.auto-reload-interval", "from 1s to 1d", "not 0s"}},
      {{"--config.auto-reload-interval=30"},
       {"--config.auto-reload-interval", "from 1s to 1d", "not 30"}},
      {{"ping", "a", "--interval=1x"},
       {"--interval", "from 10ms to 1h", "0.2 (seconds)", "not 1x"}},
      {{"ping", "a", "--interval=9ms"},
       {"--interval", "from 10ms to 1h", "not 9ms"}},
      {{"ping", "a", "-i", "0"}, {"--interval", "from 10ms to 1h", "not 0"}},
      {{"ping", "a", "--interval=61m"},
       {"--interval", "from 10ms to 1h", "not 61m"}},
      {{"ping", "a", "--timeout=0s"},
       {"--timeout", "from 1ms to 1m", "not 0s"}},
      {{"ping", "a", "-W", "61"}, {"--timeout", "from 1ms to 1m", "not 61"}},
      {{"ping", "a", "-t"}, {"--ttl: exactly one value is expected"}},
      {{"ping", "-t", "a"}, {"--ttl", "from 1 to 255", "not a"}},
      {{"ping", "a", "-l", "100"}, {"-l"}},
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
    EXPECT_THAT(exit->text, EndsWith(" --help' for usage."));
    for (const char* const said : line.said) {
      EXPECT_THAT(exit->text, HasSubstr(said));
    }
  }
}

/// The help text with every run of spaces and line feeds made one space.
std::string HelpWords(const std::vector<const char*>& arguments) {
  const ImmediateExit exit = ParseExit(arguments);
  EXPECT_EQ(exit.code, 0);
  std::istringstream text(exit.text);
  std::string words = " ";
  for (std::string word; text >> word;) words += word + " ";
  return words;
}

TEST(CommandLineTest, HelpSaysEveryOptionRangeAndDefaultInWords) {
  for (const char* const flag : {"--help", "-h"}) {
    const std::string help = HelpWords({flag});
    for (const char* const entry : {
             " Usage: echo_exporter [OPTIONS] [COMMAND] ",
             " -h, --help Print this help and exit ",
             " --config.file FILE Configuration file (default: "
             "echo_exporter.toml) ",
             " --target HOST Address, host name or prefix to probe, ",
             " --config.check Check the configuration files, ",
             " --config.enable-auto-reload Reload ",
             " --config.auto-reload-interval DURATION Time between checks of "
             "the files for changes, from 1s to 1d (default: 30s) ",
             " --web.listen-address HOST:PORT Address to listen on ",
             " --web.config.file FILE File with TLS, ",
             " --log.level LEVEL Minimum log level: debug, info, warn or error "
             "(default: info) ",
             " --log.format FORMAT Format of log lines: logfmt or json "
             "(default: logfmt) ",
             " --log.file FILE Write the log to this file (default: standard "
             "error; ",
             " --log.file.max-size SIZE Rotate the log file at this size, from "
             "1KiB to 1TiB (default: 100MiB) ",
             " --log.file.keep N Rotated log files to keep, from 0 to 1000 "
             "(default: 3) ",
             " --version Print the version and exit ",
             " ping Send echo requests and print the result of each ",
             " password Print the hash of a password for --web.config.file ",
             " service Install and control the Windows service ",
         }) {
      EXPECT_THAT(help, HasSubstr(entry));
    }
  }
}

TEST(CommandLineTest, HelpOfPingSaysEveryOptionRangeAndDefaultInWords) {
  const std::string help = HelpWords({"ping", "--help"});
  for (const char* const entry : {
           " Usage: echo_exporter ping [OPTIONS] DESTINATION ",
           " DESTINATION Address or host name to send to ",
           " -c, --count N Stop after N echo requests, from 1 to 1000000000; "
           "0: continue until Ctrl-C (default: 4) ",
           " -i, --interval TIME Time between echo requests, from 10ms to 1h "
           "(default: 1s) ",
           " -W, --timeout TIME Time to wait for each reply, from 1ms to 60s "
           "(default: 1s) ",
           " -s, --size BYTES Payload in bytes, from 0 to 65500 (default: 32) ",
           " -t, --ttl N Time to live (IPv6: hop limit), from 1 to 255 "
           "(default: 128) ",
           " -I, --source SOURCE Address or adapter name to send from; auto: "
           "the system chooses (default: auto) ",
           " -4 Use IPv4 only ",
           " -6 Use IPv6 only ",
           " -n Ignored: addresses are never turned into names. Takes no "
           "value; for the count, use -c ",
           " a plain number of seconds such as 0.2, ",
           " write -c 4 instead of -n 4, ",
       }) {
    EXPECT_THAT(help, HasSubstr(entry));
  }
  EXPECT_THAT(help, Not(HasSubstr("--config.file")));
}

TEST(CommandLineTest, HelpOfServiceNamesEveryAction) {
  const std::string help = HelpWords({"service", "--help"});
  for (const char* const action : {"install", "uninstall", "start", "stop",
                                   "reload", "status", "configure"}) {
    EXPECT_THAT(help, HasSubstr(" " + std::string(action) + " "));
  }
}

TEST(CommandLineTest, HelpFitsOnATerminal) {
  for (const std::vector<const char*>& arguments :
       {std::vector{"--help"}, std::vector{"ping", "--help"},
        std::vector{"service", "--help"},
        std::vector{"service", "install", "--help"}}) {
    std::istringstream text(ParseExit(arguments).text);
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(CommandLineTest, VersionIsOneLine) {
  const ImmediateExit exit = ParseExit({"--version"});
  EXPECT_EQ(exit.code, 0);
  EXPECT_THAT(exit.text, StartsWith("echo_exporter, version "));
  EXPECT_EQ(exit.text.find('\n'), exit.text.size() - 1);
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

// An installer gives all of them; by hand, settings are added to what is there.
TEST(CommandLineTest, ConfiguringAServiceKeepsItsOptionsOrReplacesThem) {
  EXPECT_TRUE(ParseService({"configure"}).daemon_arguments.empty());
  const std::vector<const char*> options = {"--config.file=/a b.toml",
                                            "--log.level=debug"};
  const auto with = [&](const char* action) {
    std::vector<const char*> arguments = {action};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return ParseService(arguments).daemon_arguments;
  };
  EXPECT_EQ(with("configure").size(), 2U);
  EXPECT_EQ(with("configure"), with("install"));
}

TEST(CommandLineTest, RefusesServiceWithoutAnActionOrWithWhatIsNotAllowed) {
  for (const auto& arguments :
       {std::vector{"service"}, std::vector{"service", "dance"}}) {
    const ImmediateExit exit = ParseExit(arguments);
    EXPECT_EQ(exit.code, kExitUsage);
    EXPECT_EQ(exit.text,
              "echo_exporter: service needs a command: install, uninstall, "
              "start, stop, reload, status or configure\n"
              "Run 'echo_exporter service --help' for usage.");
  }
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

TEST(CommandLineTest, InstalledServicesMayHaveTargetsInstead) {
  const auto list = std::filesystem::current_path() / "hosts.txt";
  EXPECT_THAT(ParseService({"install", "--target=a", "--target=@hosts.txt"})
                  .daemon_arguments,
              testing::ElementsAre("--target=a", "--target=@" + list.string()));
}

}  // namespace
}  // namespace echo_exporter
