#include "echo_exporter/web_security.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "src/http/web_policy.h"
#include "tests/http/http_server_fixture.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Of "U*U", at the lowest cost.
constexpr const char* kHash =
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
constexpr const char* kUser = "basic_auth_users:\n  prometheus: ";

std::string UsersText() { return kUser + std::string(kHash) + "\n"; }

std::string Basic(const std::string& text) {
  std::string base64((text.size() + 2) / 3 * 4, '\0');
  // Writes a zero byte too, where the string has one.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                  reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  return "Basic " + base64;
}

class WebSecurityTest : public HttpServerFixture {
 protected:
  void ServeWith(const std::string& yaml) {
    auto outcome = WebSecurity::Open(folder_.Write("web.yml", yaml));
    ASSERT_TRUE(outcome.security) << testing::PrintToString(outcome.errors);
    security_ = outcome.security;
    Serve(security_);
  }

  std::optional<ReceivedResponse> GetAs(const std::string& authorization,
                                        const std::string& path = "/long") {
    return Get(path, {{"Authorization", authorization}});
  }

  /// One look at the files, as each second.
  void Look() { security_->Look(); }

  /// A change has been seen twice, and is put in force if it may be.
  void Settle() {
    Look();
    Look();
  }

  void RecordReloads() {
    security_->SetObserver([this](const WebSecurityState& state) {
      reloads_.push_back(state.good);
    });
    reloads_.clear();  // of the state when it is set
  }

  TemporaryFolder folder_;
  std::shared_ptr<WebSecurity> security_;
  std::vector<bool> reloads_;
};

TEST_F(WebSecurityTest, AsksForAPasswordOnEveryPath) {
  ServeWith(UsersText());
  for (const char* path : {"/long", "/short?a=b", "/post", "/nowhere"}) {
    const auto refused = Get(path);
    ASSERT_TRUE(refused) << path;
    EXPECT_EQ(refused->status, 401) << path;
    EXPECT_EQ(refused->header("WWW-Authenticate"), "Basic");
    EXPECT_THAT(refused->body, Not(HasSubstr("a 1")));
    EXPECT_NE(GetAs(Basic("prometheus:U*U"), path)->status, 401) << path;
  }
}

TEST_F(WebSecurityTest, RefusesWhatIsNotTheNameAndThePassword) {
  ServeWith(UsersText());
  for (const std::string& wrong :
       {Basic("prometheus:U*"), Basic("prometheus:U*U "), Basic("prometheus"),
        Basic("other:U*U"), Basic(":"), std::string("Basic"),
        std::string("Basic !!!!"), "Bearer " + Basic("prometheus:U*U"),
        Basic("prometheus:U*U") + "x", std::string(kHash),
        Basic(std::string("prometheus:") + kHash)}) {
    const auto refused = GetAs(wrong);
    ASSERT_TRUE(refused) << wrong;
    EXPECT_EQ(refused->status, 401) << wrong;
  }
  EXPECT_EQ(GetAs("bAsIc  " + Basic("prometheus:U*U").substr(6))->status, 200);
}

TEST_F(WebSecurityTest, RefusesTwoAuthorizations) {
  ServeWith(UsersText());
  const std::string line = "Authorization: " + Basic("prometheus:U*U") + "\r\n";
  RawHttpClient client(port_);
  client.Send("GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + line +
              line + "\r\n");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("HTTP/1.1 401 "));
}

TEST_F(WebSecurityTest, TakesNewUsersWithoutARestart) {
  ServeWith(UsersText());
  HttpClient kept(url_);
  const HttpHeaders good = {{"Authorization", Basic("prometheus:U*U")}};
  EXPECT_EQ(kept.Get("/long", good)->status, 200);
  folder_.Write("web.yml",
                "basic_auth_users:\n  alice: " + std::string(kHash) + "\n");
  Settle();
  EXPECT_EQ(kept.Get("/long", good)->status, 401);
  EXPECT_EQ(GetAs(Basic("alice:U*U"))->status, 200);
}

TEST_F(WebSecurityTest, LooksEachSecondByItself) {
  ServeWith(UsersText());
  security_->Watch();
  security_->Watch();
  folder_.Write("web.yml",
                "basic_auth_users:\n  alice: " + std::string(kHash) + "\n");
  while (GetAs(Basic("alice:U*U"))->status != 200) {
  }
}

TEST_F(WebSecurityTest, TakesOnlyWhatWasSeenTwice) {
  ServeWith(UsersText());
  RecordReloads();
  const std::string hash(kHash);
  for (const char* const user : {"alice", "bob", "carol"}) {
    folder_.Write("web.yml",
                  "basic_auth_users:\n  " + std::string(user) + ": " + hash);
    Look();
    EXPECT_EQ(GetAs(Basic(std::string(user) + ":U*U"))->status, 401);
  }
  EXPECT_THAT(reloads_, IsEmpty());
  Look();
  EXPECT_EQ(GetAs(Basic("carol:U*U"))->status, 200);
  EXPECT_THAT(reloads_, ElementsAre(true));
}

TEST_F(WebSecurityTest, ReadsAtOnceWhenAsked) {
  ServeWith(UsersText());
  folder_.Write("web.yml",
                "basic_auth_users:\n  alice: " + std::string(kHash) + "\n");
  EXPECT_THAT(security_->Reload(), IsEmpty());
  EXPECT_EQ(GetAs(Basic("alice:U*U"))->status, 200);
  const std::string path = folder_.Write("web.yml", "colour: blue\n");
  EXPECT_THAT(security_->Reload(), ElementsAre(StartsWith(path + ":1:1: ")));
  EXPECT_EQ(GetAs(Basic("alice:U*U"))->status, 200);
}

TEST_F(WebSecurityTest, TakesAwayNoPasswordUnlessAsked) {
  const std::string headers =
      "http_server_config: {headers: {X-XSS-Protection: 1}}\n";
  for (const std::string& less :
       {std::string(), headers, "basic_auth_users:\n" + headers,
        std::string("basic_auth_users: {}\n")}) {
    ServeWith(headers + UsersText());
    reloads_.clear();
    RecordReloads();
    folder_.Write("web.yml", less);
    Settle();
    Settle();
    EXPECT_EQ(Get("/long")->status, 401) << less;
    EXPECT_THAT(reloads_, ElementsAre(false)) << less;
    EXPECT_THAT(security_->Reload(), IsEmpty());
    EXPECT_EQ(Get("/long")->status, 200) << less;
    EXPECT_THAT(reloads_, ElementsAre(false, true)) << less;
  }
}

TEST_F(WebSecurityTest, DoesNotTakeAnEmptyFileForAnyOther) {
  ServeWith("rate_limit: {interval: 1h, burst: 1}\n");
  folder_.Write("web.yml", "");
  Settle();
  EXPECT_EQ(Get("/long")->status, 200);
  EXPECT_EQ(Get("/long")->status, 429);
}

TEST_F(WebSecurityTest, KeepsTheOldVersionWhileTheNewOneIsWrong) {
  ServeWith(UsersText());
  RecordReloads();
  folder_.Write("web.yml", "basic_auth_user: {}\n");
  Settle();
  EXPECT_EQ(Get("/long")->status, 401);
  EXPECT_EQ(GetAs(Basic("prometheus:U*U"))->status, 200);
  std::filesystem::remove(PathFromUtf8(folder_.Path("web.yml")));
  Settle();
  Settle();
  EXPECT_EQ(Get("/long")->status, 401);
  folder_.Write("web.yml", UsersText() + "# changed\n");
  Settle();
  EXPECT_EQ(Get("/long")->status, 401);
  // Each version once.
  EXPECT_THAT(reloads_, ElementsAre(false, false, true));
}

TEST_F(WebSecurityTest, TriesAgainWhatItCouldNotRead) {
  const TestCertificate certificate = TestAuthority().Certify({});
  folder_.Write("server.crt", certificate.certificate);
  folder_.Write("server.key", certificate.key);
  auto outcome = WebSecurity::Open(
      folder_.Write("web.yml",
                    "tls_server_config: {cert_file: server.crt, key_file: "
                    "server.key}\n"));
  ASSERT_TRUE(outcome.security) << testing::PrintToString(outcome.errors);
  security_ = outcome.security;
  RecordReloads();
  std::filesystem::remove(PathFromUtf8(folder_.Path("server.key")));
  Settle();
  Settle();
  EXPECT_THAT(reloads_, ElementsAre(false));
  folder_.Write("server.key", certificate.key);
  Settle();
  EXPECT_THAT(reloads_, ElementsAre(false, true));
}

// As robocopy and cp -p leave it: other bytes, as many, and the old time.
TEST_F(WebSecurityTest, SeesAChangeThatLeavesSizeAndTime) {
  ServeWith(UsersText());
  const auto path = PathFromUtf8(folder_.Path("web.yml"));
  const auto time = std::filesystem::last_write_time(path);
  std::string other = UsersText();
  other.replace(other.find("prometheus"), 10, "pRometheus");
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file << other;
  }
  std::filesystem::last_write_time(path, time);
  Settle();
  EXPECT_EQ(GetAs(Basic("prometheus:U*U"))->status, 401);
  EXPECT_EQ(GetAs(Basic("pRometheus:U*U"))->status, 200);
}

TEST_F(WebSecurityTest, NamesItsFiles) {
  const std::string path = folder_.Write(
      "web.yml", "tls_server_config: {cert_file: none.crt, key: x}\n");
  const auto outcome = WebSecurity::Open(path);
  EXPECT_FALSE(outcome.security);
  EXPECT_THAT(outcome.files, ElementsAre(path, folder_.Path("none.crt")));
}

TEST_F(WebSecurityTest, DoesNotBeginToServeTlsWithoutARestart) {
  ServeWith("");
  const TestCertificate certificate = TestAuthority().Certify({});
  folder_.Write("server.crt", certificate.certificate);
  folder_.Write("server.key", certificate.key);
  folder_.Write("web.yml",
                "tls_server_config: {cert_file: server.crt, key_file: "
                "server.key}\n");
  EXPECT_THAT(security_->Reload(), ElementsAre(HasSubstr("restart")));
  EXPECT_EQ(Get("/long")->status, 200);
}

TEST_F(WebSecurityTest, RejectsEveryRequestWithoutABurst) {
  ServeWith("rate_limit: {interval: 2s}\n");
  for (int i = 0; i < 2; ++i) {
    const auto refused = Get("/long");
    EXPECT_EQ(refused->status, 429);
    EXPECT_EQ(refused->header("Retry-After"), "2");
  }
}

TEST_F(WebSecurityTest, LimitsAllRequestsTogether) {
  ServeWith("rate_limit:\n  interval: 1h\n  burst: 2\n" + UsersText());
  EXPECT_EQ(Get("/long")->status, 401);
  EXPECT_EQ(GetAs(Basic("prometheus:U*U"))->status, 200);
  const auto refused = GetAs(Basic("prometheus:U*U"));
  EXPECT_EQ(refused->status, 429);
  EXPECT_THAT(refused->header("Retry-After"), StartsWith("3"));
}

TEST_F(WebSecurityTest, SendsSecurityHeadersOnEveryPage) {
  Serve();
  for (const char* path : {"/short", "/long", "/nowhere", "/post"}) {
    const auto answer = Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer->header("X-Frame-Options"), "deny");
    EXPECT_EQ(answer->header("Referrer-Policy"), "no-referrer");
  }
  RawHttpClient broken(port_);
  broken.Send("nonsense\r\n\r\n");
  EXPECT_THAT(broken.ReadToEnd(), HasSubstr("X-Frame-Options: deny\r\n"));
}

TEST_F(WebSecurityTest, PrefersConfiguredHeaders) {
  ServeWith(
      "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n"
      "    Content-Security-Policy: default-src 'self'\n"
      "    Strict-Transport-Security: max-age=31536000\n");
  for (const char* path : {"/short", "/long", "/nowhere"}) {
    const auto answer = Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->header("X-Frame-Options"), "sameorigin");
    EXPECT_EQ(answer->header_count("X-Frame-Options"), 1U);
    EXPECT_EQ(answer->header("Content-Security-Policy"), "default-src 'self'");
    EXPECT_EQ(answer->header_count("Content-Security-Policy"), 1U);
    EXPECT_EQ(answer->header("Strict-Transport-Security"), "max-age=31536000");
  }
}

TEST(WebSecurityOpenTest, SaysWhatIsWrongWithCertificates) {
  const TemporaryFolder folder;
  const TestAuthority authority;
  const TestCertificate one = authority.Certify({});
  folder.Write("good.crt", one.certificate);
  folder.Write("good.key", one.key);
  folder.Write("other.key", authority.Certify({}).key);
  folder.Write("text", "no certificate");
  folder.Write("broken.crt", one.certificate + one.certificate.substr(0, 200));
  const auto errors_of = [&](const std::string& certificate,
                             const std::string& key, const std::string& ca) {
    const std::string file = folder.Write(
        "web.yml", "tls_server_config:\n  cert_file: " + certificate +
                       "\n  key_file: " + key + "\n  client_ca_file: " + ca +
                       "\n  client_auth_type: RequestClientCert\n");
    std::string errors;
    for (const std::string& error : WebSecurity::Open(file).errors) {
      EXPECT_TRUE(error.starts_with(file)) << error;
      errors += error.substr(file.size()) + '\n';
    }
    return errors;
  };
  EXPECT_EQ(errors_of("good.crt", "good.key", "good.crt"), "");
  EXPECT_EQ(errors_of("good.crt", "other.key", "good.crt"),
            ":3:13: tls_server_config: key_file does not match the "
            "certificate\n");
  EXPECT_EQ(
      errors_of("text", "text", "text"),
      ":2:14: tls_server_config: cert_file contains no usable certificate: "
      "no start line\n"
      ":3:13: tls_server_config: key_file contains no usable private key "
      "(encrypted keys are not supported): unsupported\n"
      ":4:19: tls_server_config: client_ca_file contains no usable "
      "certificate: no start line\n");
  EXPECT_EQ(
      errors_of("broken.crt", "good.key", "good.crt"),
      ":2:14: tls_server_config: cert_file contains an invalid certificate "
      "after the first one\n");
}

TEST(WebSecurityOpenTest, TellsNoSecrets) {
  const TemporaryFolder folder;
  for (const char* const yaml :
       {"basic_auth_users: {alice: hunter2}", "basic_auth_users: hunter2",
        "basic_auth_users: {alice: [hunter2]}",
        "tls_server_config: {cert: x, key: hunter2}",
        "tls_server_config: {cert: x, key: [hunter2]}",
        "tls_server_config: {cert: x, key: {hunter2: hunter2}}"}) {
    const auto outcome = WebSecurity::Open(folder.Write("web.yml", yaml));
    EXPECT_THAT(outcome.errors, Not(IsEmpty())) << yaml;
    for (const std::string& error : outcome.errors) {
      EXPECT_THAT(error, Not(HasSubstr("hunter2")));
    }
  }
}

TEST(ParseBasicAuthorizationTest, SplitsAtTheFirstColon) {
  const auto pair = ParseBasicAuthorization(Basic("a:b:c"));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->first, "a");
  EXPECT_EQ(pair->second, "b:c");
  EXPECT_FALSE(ParseBasicAuthorization("Basic"));
  EXPECT_FALSE(ParseBasicAuthorization(Basic("")));
  EXPECT_FALSE(ParseBasicAuthorization(Basic("no colon")));
  EXPECT_FALSE(ParseBasicAuthorization("Basic YTpi\n"));
  EXPECT_FALSE(ParseBasicAuthorization("Basic " + std::string(5000, 'A')));
}

}  // namespace
}  // namespace echo_exporter
