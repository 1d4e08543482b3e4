#include "echo_exporter/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "src/config/web_config_sections.h"
#include "tests/config/invalid_files.h"
#include "tests/support/sanitizers.h"
#include "tests/support/source_file.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

// As in config_errors_test.cc.
constexpr const char* kWebTestData = "tests/config/testdata/web";
constexpr const char* kHash =
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// For a path between double quotes of YAML.
std::string EscapeBackslashes(const std::string& path) {
  std::string escaped;
  for (const char c : path) escaped += c == '\\' ? "\\\\" : std::string(1, c);
  return escaped;
}

/// `text` with `to`, which does not contain `from`, in place of every `from`.
std::string Replaced(const std::string& from, const std::string& to,
                     std::string text) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from)) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// `text` without any of `part`.
std::string Without(const std::string& part, const std::string& text) {
  return Replaced(part, "", text);
}

/// The messages of a .txt file, where {ENOENT} stands for what the C++ library
/// calls it.
std::string ExpectedMessages(const std::string& file) {
  return Replaced("{ENOENT}", std::generic_category().message(ENOENT),
                  ReadSourceFile(file + ".txt"));
}

TEST(WebConfigErrorsTest, EveryInvalidFileHasItsMessagesBesideIt) {
  EXPECT_EQ(FilesWithExtension(kWebTestData, ".yml"),
            FilesWithExtension(kWebTestData, ".txt"));
}

TEST(WebConfigErrorsTest, SaysExactlyWhatIsWrongAndWhere) {
  const auto files = FilesWithExtension(kWebTestData, ".yml");
  EXPECT_FALSE(files.empty());
  const std::string folder = PathToUtf8(SourcePath(kWebTestData));
  for (const std::string& file : files) {
    const std::string path = PathToUtf8(SourcePath(file + ".yml"));
    const WebConfigOutcome outcome = LoadWebConfig(path);
    std::string messages;
    for (const std::string& error : outcome.errors) {
      EXPECT_EQ(error.substr(0, path.size() + 1), path + ':');
      messages += error.substr(std::min(path.size() + 1, error.size())) + '\n';
    }
    // Of the files that are named, the name as written; Windows joins paths
    // with a backslash, which messages escape.
    messages = Without(folder + '/', Without(folder + "\\\\", messages));
    EXPECT_EQ(messages, ExpectedMessages(file)) << file;
    EXPECT_FALSE(outcome.config) << file;
  }
}

TEST(WebConfigTest, TakesAnEmptyFileForNoSecurity) {
  const TemporaryFolder folder;
  for (const char* const text : {"", "# nothing\n", "---\n", "{}\n"}) {
    const auto outcome = LoadWebConfig(folder.Write("web.yml", text));
    ASSERT_TRUE(outcome.config) << testing::PrintToString(outcome.errors);
    EXPECT_FALSE(outcome.config->tls);
    EXPECT_TRUE(outcome.config->users.empty());
    EXPECT_FALSE(outcome.config->rate_limit);
  }
}

TEST(WebConfigTest, FailsForAFileThatIsNotThere) {
  const TemporaryFolder folder;
  const std::string path = folder.Path("none.yml");
  const auto outcome = LoadWebConfig(path);
  EXPECT_THAT(outcome.errors,
              ElementsAre(path + ": reading the web configuration: " +
                          std::generic_category().message(ENOENT)));
  EXPECT_THAT(outcome.files,
              ElementsAre(Field(&WebConfigFileState::path, path)));
}

TEST(WebConfigTest, ReadsEveryKey) {
  const TemporaryFolder folder;
  const std::string crt = folder.Write("server.crt", "the certificate");
  const std::string ca = folder.Write("ca.crt", "the authority");
  const std::string path = folder.Write("web.yml", std::string(R"(
tls_server_config:
  cert_file: server.crt
  key: |
    the
    key
  client_ca_file: )") + '"' + EscapeBackslashes(ca) + R"("
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example, 192.0.2.7]
  min_version: TLS12
  max_version: TLS13
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: no
  curve_preferences: [X25519, CurveP521]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: sameorigin
    X-XSS-Protection: 0
rate_limit:
  interval: 1.5s
  burst: 20
basic_auth_users:
  prometheus: )" + kHash + '\n');
  const auto outcome = LoadWebConfig(path);
  ASSERT_TRUE(outcome.config) << testing::PrintToString(outcome.errors);
  EXPECT_THAT(outcome.files, ElementsAre(Field(&WebConfigFileState::path, path),
                                         Field(&WebConfigFileState::path, crt),
                                         Field(&WebConfigFileState::path, ca)));
  const WebConfig& config = *outcome.config;
  ASSERT_TRUE(config.tls);
  EXPECT_EQ(config.tls->certificate.pem, "the certificate");
  EXPECT_EQ(config.tls->certificate.origin,
            path + ":3:14: tls_server_config: cert_file");
  EXPECT_EQ(config.tls->key.pem, "the\nkey\n");
  EXPECT_EQ(config.tls->client_ca.pem, "the authority");
  EXPECT_EQ(config.tls->client_auth, ClientAuth::kRequireAndVerifyClientCert);
  EXPECT_THAT(config.tls->client_allowed_sans,
              ElementsAre("prometheus.example", "192.0.2.7"));
  EXPECT_EQ(config.tls->min_version, TlsVersion::kTls12);
  EXPECT_EQ(config.tls->max_version, TlsVersion::kTls13);
  EXPECT_THAT(config.tls->cipher_suites,
              ElementsAre("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                          "TLS_AES_128_GCM_SHA256"));
  EXPECT_FALSE(config.tls->prefer_server_cipher_suites);
  EXPECT_THAT(config.tls->curve_preferences,
              ElementsAre(TlsCurve::kX25519, TlsCurve::kP521));
  EXPECT_THAT(config.headers, ElementsAre(Pair("X-Frame-Options", "sameorigin"),
                                          Pair("X-XSS-Protection", "0")));
  ASSERT_TRUE(config.rate_limit);
  EXPECT_EQ(config.rate_limit->interval, milliseconds(1500));
  EXPECT_EQ(config.rate_limit->burst, 20U);
  EXPECT_THAT(config.users, ElementsAre(Pair("prometheus", kHash)));
}

TEST(WebConfigTest, WarnsOfNamesThatNobodyVouchesFor) {
  const TemporaryFolder folder;
  const auto outcome = LoadWebConfig(folder.Write("web.yml", R"(
tls_server_config:
  cert: x
  key: x
  client_auth_type: RequireAnyClientCert
  client_allowed_sans: [prometheus.example]
)"));
  ASSERT_TRUE(outcome.config) << testing::PrintToString(outcome.errors);
  ASSERT_THAT(outcome.config->warnings, SizeIs(1));
  EXPECT_THAT(outcome.config->warnings[0], HasSubstr(":6:24: "));
}

// What Prometheus's exporters accept too, although it is weak.
TEST(WebConfigTest, WarnsOfWhatIsWeak) {
  const TemporaryFolder folder;
  const std::string pair = "tls_server_config: {cert: x, key: x, ";
  folder.Write("x.crt", "other");
  const std::pair<std::string, const char*> kCases[] = {
      {pair + "client_auth_type: RequireAndVerifyClientCert}",
       "any CA that this system trusts"},
      {pair + "client_auth_type: VerifyClientCertIfGiven}",
       "any CA that this system trusts"},
      {pair + "min_version: TLS10}", "TLS12 is in force"},
      {pair + "min_version: TLS11}", "TLS12 is in force"},
      {pair + "cert_file: x.crt}", "cert_file takes precedence over cert"},
      {"tls_server_config: {}", "unencrypted"},
      {"tls_server_config: {cert_file: '', min_version: TLS12}", "unencrypted"},
      {"tls_server_config:", "is empty and has no effect"},
      {"basic_auth_users:", "is empty and has no effect"},
      {"rate_limit: {interval: 0, burst: 0}", "there is no rate limit"},
      {"rate_limit: {burst: 5}", "there is no rate limit"},
      {"rate_limit: {interval: -1s, burst: 5}", "there is no rate limit"},
      {"rate_limit: {interval: 1s, burst: 0}", "every request is rejected"},
      {"rate_limit: {interval: 1s}", "every request is rejected"},
      {"rate_limit: {interval: 1s, burst: -1}", "every request is rejected"},
  };
  for (const auto& [text, warning] : kCases) {
    const auto outcome = LoadWebConfig(folder.Write("web.yml", text));
    ASSERT_TRUE(outcome.config)
        << text << testing::PrintToString(outcome.errors);
    ASSERT_THAT(outcome.config->warnings, SizeIs(1)) << text;
    EXPECT_THAT(outcome.config->warnings[0], HasSubstr(warning)) << text;
  }
}

TEST(WebConfigTest, LimitsTheRateAsTheToolkitDoes) {
  struct Case {
    std::string text;
    nanoseconds interval;  // 0: no limit
    std::uint32_t burst = 0;
  };
  const Case kCases[] = {
      {"interval: 0s, burst: 1", nanoseconds(0)},
      {"interval: 0, burst: 0", nanoseconds(0)},
      {"interval: 1s, burst: 0", seconds(1), 0},
      {"interval: 1s, burst: 7", seconds(1), 7},
      {"interval: 48h, burst: 3", hours(48), 3},
      {"interval: 5000000, burst: 1", milliseconds(5), 1},
      // More than a bucket holds: 100 years.
      {"interval: 24h, burst: 1000000000", hours(24), 36500},
  };
  const TemporaryFolder folder;
  for (const Case& c : kCases) {
    const auto outcome =
        LoadWebConfig(folder.Write("web.yml", "rate_limit: {" + c.text + "}"));
    ASSERT_TRUE(outcome.config)
        << c.text << testing::PrintToString(outcome.errors);
    const auto& limit = outcome.config->rate_limit;
    ASSERT_EQ(limit.has_value(), c.interval.count() > 0) << c.text;
    if (!limit) continue;
    EXPECT_EQ(limit->interval, c.interval) << c.text;
    EXPECT_EQ(limit->burst, c.burst) << c.text;
  }
}

TEST(WebConfigTest, ReadsTensOfThousandsOfKeys) {
  constexpr std::size_t kKeys = kSanitizers ? 6'000 : 60'000;
  std::string text = "basic_auth_users:\n";
  for (std::size_t i = 0; i < kKeys; ++i) {
    text += "  u" + std::to_string(i) + ": x\n";
  }
  EXPECT_EQ(ParseWebConfig(text, "web.yml").errors.size(), kKeys);
}

TEST(WebConfigTest, NamesAnEncodingThatIsNotUtf8) {
  using namespace std::string_literals;
  for (const std::string& text : {"\xff\xfe{\0}\0"s, "\xfe\xff\0{\0}"s}) {
    EXPECT_THAT(ParseWebConfig(text, "w.yml").errors,
                ElementsAre("w.yml:1:1: the text is in UTF-16; save it as "
                            "UTF-8"));
  }
  EXPECT_TRUE(ParseWebConfig("\xef\xbb\xbfrate_limit:\n", "w.yml").config);
}

TEST(WebConfigTest, ReadsNoFileBeyondItsLimit) {
  const TemporaryFolder folder;
  const std::string large(1024 * 1024 + 1, '#');
  EXPECT_THAT(LoadWebConfig(folder.Write("web.yml", large)).errors,
              ElementsAre(HasSubstr("larger than 1048576 bytes")));
  folder.Write("x.crt", large);
  const auto outcome = LoadWebConfig(folder.Write(
      "web.yml", "tls_server_config: {cert_file: x.crt, key: x}\n"));
  EXPECT_THAT(outcome.errors,
              ElementsAre(HasSubstr("larger than 1048576 bytes")));
}

TEST(ParseGoDurationTest, ReadsWhatGoReads) {
  EXPECT_EQ(ParseGoDuration("1s"), seconds(1));
  EXPECT_EQ(ParseGoDuration("1h0m1.5s"), hours(1) + milliseconds(1500));
  EXPECT_EQ(ParseGoDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseGoDuration(".5ms"), microseconds(500));
  EXPECT_EQ(ParseGoDuration("10us"), microseconds(10));
  EXPECT_EQ(ParseGoDuration("7ns"), nanoseconds(7));
  EXPECT_EQ(ParseGoDuration("0"), nanoseconds(0));
  EXPECT_EQ(ParseGoDuration("1"), nanoseconds(1));
  EXPECT_EQ(ParseGoDuration("-7"), nanoseconds(-7));
  EXPECT_EQ(ParseGoDuration("-1.5s"), milliseconds(-1500));
  EXPECT_EQ(ParseGoDuration("+1s"), seconds(1));
  for (const char* const bad : {"", "-", "--1s", "s", "1 s", "1d", "1s1", "inf",
                                "1e3s", "infs", "999999999999h", "1..5s"}) {
    EXPECT_FALSE(ParseGoDuration(bad)) << bad;
  }
}

}  // namespace
}  // namespace echo_exporter
