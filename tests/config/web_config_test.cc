#include "echo_exporter/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "src/config/web_config_sections.h"
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
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

constexpr const char* kTestData = "tests/config/testdata/";
constexpr const char* kHash =
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// For each invalid-<rule>.yml all that is said about it, one a line, without
/// the name of the file.
const std::map<std::string, std::string>& InvalidWebConfigs() {
  static const std::map<std::string, std::string> configs = {
      {"both",
       R"(3:14: tls_server_config: cert and cert_file are both there; one says it all
4:8: tls_server_config: key must not be empty
5:14: tls_server_config: a CA for clients has no use without client_auth_type, such as RequireAndVerifyClientCert
6:19: tls_server_config: client_ca and client_ca_file are both there; one says it all
)"},
      {"choice",
       R"(4:21: tls_server_config: client_auth_type: unknown "Always"; allowed: NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert
5:58: tls_server_config: cipher_suites: unknown "TLS_RSA_WITH_RC4_128_SHA"; allowed: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
6:31: tls_server_config: curve_preferences: unknown "CurveP224"; allowed: CurveP256, CurveP384, CurveP521, X25519
)"},
      {"client-ca-missing",
       R"(4:21: tls_server_config: client_ca_file (or client_ca) is missing, by which certificates of clients are verified
)"},
      {"client-ca-unused",
       R"(4:14: tls_server_config: a CA for clients has no use without client_auth_type, such as RequireAndVerifyClientCert
)"},
      {"documents",
       R"(2:1: there must be one YAML document in the file
)"},
      {"duplicate-key",
       R"(4:3: rate_limit: "interval" is there twice; first on line 2
5:1: "rate_limit" is there twice; first on line 1
)"},
      {"element-type",
       R"(2:9: tls_server_config: "cert" must be a string, not a list
3:8: tls_server_config: "key" must be a string, not a mapping
4:24: tls_server_config: "client_allowed_sans" must be a list of strings, not a scalar
6:7: tls_server_config: "cipher_suites" must be a list of strings only, not a list
7:22: tls_server_config: "curve_preferences" must be a list of strings, not a scalar
8:32: tls_server_config: prefer_server_cipher_suites must be true or false
9:3: tls_server_config: "min_version" must be a string, not nothing
10:3: a key must be a string, not a list
)"},
      {"headers",
       R"(3:22: http_server_config: headers: X-Frame-Options must be deny or sameorigin, not "allow"
4:29: http_server_config: headers: X-Content-Type-Options must be nosniff, not "sniff"
5:5: http_server_config: headers: header "x-xss-protection" cannot be set; allowed here: Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection
6:5: http_server_config: headers: header "Server" cannot be set; allowed here: Content-Security-Policy, Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options, X-XSS-Protection
7:32: http_server_config: headers: Strict-Transport-Security must be 1 to 4096 printable ASCII characters
8:30: http_server_config: headers: Content-Security-Policy must be 1 to 4096 printable ASCII characters
)"},
      {"missing-file",
       R"(2:14: tls_server_config: cert_file: reading "no-such.crt": No such file or directory
3:13: tls_server_config: key_file: reading "no/such.key": No such file or directory
)"},
      {"missing-pair",
       R"(2:3: tls_server_config: cert_file (or cert) is missing
2:3: tls_server_config: key_file (or key) is missing
)"},
      {"no-progress",
       R"(1:1: there must be one YAML document in the file
)"},
      {"rate-limit-full",
       R"(2:13: rate_limit: interval times burst must be at most 100 years
)"},
      {"rate-limit-missing",
       R"(1:13: rate_limit: burst is missing: how many requests may come at once
1:13: rate_limit: interval is missing: the time between two requests
)"},
      {"rate-limit-range",
       R"(2:13: rate_limit: interval must be a duration from 0s to 24h, such as "1s" or "250ms", not "25h"
3:10: rate_limit: burst must be a whole number from 1 to 1000000
)"},
      {"rate-limit",
       R"(2:13: rate_limit: interval must be a duration from 0s to 24h, such as "1s" or "250ms", not "fast"
3:10: rate_limit: burst must be a whole number from 1 to 1000000
)"},
      {"root-type",
       R"(1:1: the file must hold a mapping, not a list
)"},
      {"sans-empty",
       R"(6:24: tls_server_config: client_allowed_sans must not be empty; leave it out to allow any name
)"},
      {"sans",
       R"(6:24: tls_server_config: client_allowed_sans takes a client_auth_type that requires a certificate: RequireAndVerifyClientCert or RequireAnyClientCert
)"},
      {"suites-version",
       R"(5:18: tls_server_config: cipher_suites has none of TLS 1.2, but max_version is TLS12
)"},
      {"syntax",
       R"(2:17: not valid YAML: end of map flow not found
)"},
      {"type",
       R"(1:20: "tls_server_config" must be a mapping, not a scalar
3:10: http_server_config: http2 must be true or false
4:12: http_server_config: "headers" must be a mapping, not a list
6:3: "basic_auth_users" must be a mapping, not a list
7:1: "rate_limit" must be a mapping, not nothing
)"},
      {"unknown-key",
       R"(1:1: unknown key "tls_server"; allowed here: basic_auth_users, http_server_config, rate_limit, tls_server_config
5:3: tls_server_config: unknown key "client_auth"; allowed here: cert, cert_file, cipher_suites, client_allowed_sans, client_auth_type, client_ca, client_ca_file, curve_preferences, key, key_file, max_version, min_version, prefer_server_cipher_suites
7:3: http_server_config: unknown key "http3"; did you mean "http2"?
11:3: rate_limit: unknown key "per_client"; allowed here: burst, interval
)"},
      {"users",
       R"(2:10: basic_auth_users: user "alice": the password must be a bcrypt hash ($2a$, $2b$ or $2y$), as made by "htpasswd -nBC 10 NAME"
3:8: basic_auth_users: user "bob": the password must be a bcrypt hash ($2a$, $2b$ or $2y$), as made by "htpasswd -nBC 10 NAME"
4:10: basic_auth_users: user "carol": the cost of the bcrypt hash must be from 04 to 18
5:9: basic_auth_users: user "dave": the cost of the bcrypt hash must be from 04 to 18
6:3: basic_auth_users: user "a:b": a name must not be empty nor have a colon
7:3: basic_auth_users: user "": a name must not be empty nor have a colon
8:8: basic_auth_users: "eve" must be a string, not a list
9:12: basic_auth_users: user "mallory": the password must be a bcrypt hash ($2a$, $2b$ or $2y$), as made by "htpasswd -nBC 10 NAME"
)"},
      {"version-order",
       R"(5:16: tls_server_config: max_version must not be below min_version
)"},
      {"version",
       R"(4:16: tls_server_config: min_version: TLS11 is not safe and not served; allowed: TLS12, TLS13
5:16: tls_server_config: max_version: unknown "SSL3"; allowed: TLS12, TLS13
)"},
  };
  return configs;
}

/// For a path between double quotes of YAML.
std::string EscapeBackslashes(const std::string& path) {
  std::string escaped;
  for (const char c : path) escaped += c == '\\' ? "\\\\" : std::string(1, c);
  return escaped;
}

/// `text` without any of `part`.
std::string Without(const std::string& part, std::string text) {
  for (std::size_t at = text.find(part); at != std::string::npos;
       at = text.find(part)) {
    text.erase(at, part.size());
  }
  return text;
}

TEST(WebConfigErrorsTest, SaysExactlyWhatIsWrongAndWhere) {
  for (const auto& [rule, expected] : InvalidWebConfigs()) {
    const std::string name = "invalid-" + rule + ".yml";
    const std::string path = PathToUtf8(SourcePath(kTestData + name));
    const WebConfigOutcome outcome = LoadWebConfig(path);
    std::string messages;
    for (const std::string& error : outcome.errors) {
      EXPECT_EQ(error.substr(0, path.size() + 1), path + ':');
      messages += error.substr(std::min(path.size() + 1, error.size())) + '\n';
    }
    // Of the files that are named, the name as written; Windows joins paths
    // with a backslash, which messages escape.
    const std::string folder = path.substr(0, path.size() - name.size() - 1);
    messages = Without(folder + '/', Without(folder + "\\\\", messages));
    EXPECT_EQ(messages, expected) << rule;
    EXPECT_FALSE(outcome.config) << rule;
  }
}

TEST(WebConfigErrorsTest, KnowsEveryInvalidFile) {
  std::set<std::string> known;
  for (const auto& [rule, messages] : InvalidWebConfigs()) {
    known.insert("invalid-" + rule + ".yml");
  }
  std::set<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(SourcePath(kTestData))) {
    if (entry.path().extension() != ".yml") continue;
    files.insert(entry.path().filename().string());
  }
  EXPECT_EQ(files, known);
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
              ElementsAre(path + ": reading the web configuration: No such "
                                 "file or directory"));
  EXPECT_THAT(outcome.files, ElementsAre(path));
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
  EXPECT_THAT(outcome.files, ElementsAre(path, crt, ca));
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

TEST(WebConfigTest, HasNoRateLimitAtZero) {
  const TemporaryFolder folder;
  const auto outcome = LoadWebConfig(
      folder.Write("web.yml", "rate_limit: {interval: 0s, burst: 1}"));
  ASSERT_TRUE(outcome.config) << testing::PrintToString(outcome.errors);
  EXPECT_FALSE(outcome.config->rate_limit);
}

TEST(ParseGoDurationTest, ReadsWhatGoReads) {
  EXPECT_EQ(ParseGoDuration("1s"), seconds(1));
  EXPECT_EQ(ParseGoDuration("1h0m1.5s"), hours(1) + milliseconds(1500));
  EXPECT_EQ(ParseGoDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseGoDuration(".5ms"), microseconds(500));
  EXPECT_EQ(ParseGoDuration("10us"), microseconds(10));
  EXPECT_EQ(ParseGoDuration("7ns"), nanoseconds(7));
  EXPECT_EQ(ParseGoDuration("0"), nanoseconds(0));
  for (const char* const bad : {"", "1", "-1s", "s", "1 s", "1d", "1s1", "inf",
                                "1e3s", "infs", "999999999999h", "1..5s"}) {
    EXPECT_FALSE(ParseGoDuration(bad)) << bad;
  }
}

}  // namespace
}  // namespace echo_exporter
