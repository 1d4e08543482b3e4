#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/web_security.h"
#include "tests/http/http_server_fixture.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_client.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

class TlsServerTest : public HttpServerFixture {
 protected:
  TlsServerTest() {
    folder_.Write("ca.crt", authority_.certificate());
    Install(authority_.Certify({.name = "first"}));
  }

  void Install(const TestCertificate& certificate) {
    folder_.Write("server.crt", certificate.certificate);
    folder_.Write("server.key", certificate.key);
  }

  /// `more`: further lines of tls_server_config.
  void ServeTls(const std::string& more = "") {
    const std::string file =
        folder_.Write("web.yml",
                      "tls_server_config:\n  cert_file: server.crt\n  "
                      "key_file: server.key\n" +
                          more);
    auto outcome = WebSecurity::Open(file);
    ASSERT_TRUE(outcome.security) << testing::PrintToString(outcome.errors);
    security_ = outcome.security;
    Serve(security_);
  }

  /// A change of the files has been seen twice.
  void Settle() {
    security_->Look();
    security_->Look();
  }

  std::string GetAs(const std::optional<TestCertificate>& certificate,
                    int max_version = 0) {
    TlsClient client(port_, {.authority = authority_.certificate(),
                             .certificate = certificate,
                             .max_version = max_version});
    return client.Get("/long");
  }

  bool IsServed(const std::optional<TestCertificate>& certificate) {
    const bool served = GetAs(certificate).starts_with("HTTP/1.1 200 ");
    // Both versions give the same verdict.
    EXPECT_EQ(GetAs(certificate, TLS1_2_VERSION).starts_with("HTTP/1.1 200 "),
              served);
    return served;
  }

  TestAuthority authority_;
  TestAuthority stranger_;
  TemporaryFolder folder_;
  std::shared_ptr<WebSecurity> security_;
};

TEST_F(TlsServerTest, ServesHttps) {
  ServeTls();
  EXPECT_THAT(server_->Urls().at(0), StartsWith("https://127.0.0.1:"));
  TlsClient client(port_, {.authority = authority_.certificate()});
  EXPECT_EQ(client.version(), "TLSv1.3");
  const std::string answer = client.Get("/long");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("a 1\n"));
}

TEST_F(TlsServerTest, AnswersSeveralRequestsOfAConnection) {
  ServeTls();
  TlsClient client(port_, {.authority = authority_.certificate()});
  client.Send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.Get("/long"), HasSubstr("a 1\n"));
}

TEST_F(TlsServerTest, GivesALargeAnswerAsItIs) {
  std::string body;
  for (int i = 0; body.size() < 8'000'000; ++i) {
    body += std::to_string(i) + '\n';
  }
  respond_ = [&](const HttpRequest&) { return HttpResponse{.body = body}; };
  ServeTls();
  TlsClient client(port_, {.authority = authority_.certificate()});
  EXPECT_TRUE(client.Get("/short").ends_with("\r\n\r\n" + body));
}

TEST_F(TlsServerTest, EndsPlainHttpWithASentence) {
  ServeTls();
  RawHttpClient client(port_);
  client.Send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.ReadToEnd();
  EXPECT_TRUE(client.closed());
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("HTTPS"));
  EXPECT_EQ(WaitForCounts(1), (std::vector<Count>{{"other", 400}}));
}

TEST_F(TlsServerTest, EndsNonsense) {
  ServeTls();
  RawHttpClient client(port_);
  client.Send(std::string(64, '\xff'));
  client.ReadToEnd();
  EXPECT_TRUE(client.closed());
}

TEST_F(TlsServerTest, SpeaksTheVersionsThatAreAllowed) {
  ServeTls("  min_version: TLS13\n");
  EXPECT_EQ(GetAs({}, TLS1_2_VERSION), "");
  EXPECT_THAT(GetAs({}), HasSubstr(" 200 "));
  ServeTls("  max_version: TLS12\n");
  TlsClient client(port_, {.authority = authority_.certificate()});
  EXPECT_EQ(client.version(), "TLSv1.2");
}

TEST_F(TlsServerTest, UsesTheSuitesAndCurvesThatAreAllowed) {
  ServeTls(
      "  max_version: TLS12\n"
      "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n"
      "  curve_preferences: [CurveP384]\n");
  TlsClient client(port_, {.authority = authority_.certificate()});
  EXPECT_EQ(client.suite(), "ECDHE-ECDSA-CHACHA20-POLY1305");
  TlsClient other(port_, {.authority = authority_.certificate(),
                          .suites12 = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_FALSE(other.connected());
}

// Who is let in, in the words of Go.
TEST_F(TlsServerTest, AsksForClientCertificatesAsConfigured) {
  const auto good = authority_.Certify({.name = "prometheus"});
  const auto expired =
      authority_.Certify({.name = "prometheus", .expired = true});
  const auto strange = stranger_.Certify({.name = "prometheus"});
  struct Case {
    std::string auth;
    bool none, good, strange, expired;
  };
  const Case kCases[] = {
      {"NoClientCert", true, true, true, true},
      {"RequestClientCert", true, true, true, true},
      {"RequireAnyClientCert", false, true, true, true},
      {"RequireClientCert", false, true, true, true},
      {"VerifyClientCertIfGiven", true, true, false, false},
      {"RequireAndVerifyClientCert", false, true, false, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.auth);
    ServeTls("  client_auth_type: " + c.auth + "\n" +
             (c.auth == "NoClientCert" ? "" : "  client_ca_file: ca.crt\n"));
    EXPECT_EQ(IsServed(std::nullopt), c.none);
    EXPECT_EQ(IsServed(good), c.good);
    EXPECT_EQ(IsServed(strange), c.strange);
    EXPECT_EQ(IsServed(expired), c.expired);
  }
}

TEST_F(TlsServerTest, LetsInTheAlternativeNamesThatAreAllowed) {
  ServeTls(
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca_file: ca.crt\n"
      "  client_allowed_sans: [prometheus.example, 192.0.2.7, '2001:db8::7',\n"
      "    a@example.net, 'spiffe://example.net/prometheus']\n");
  for (const char* const good :
       {"DNS:other.example,DNS:prometheus.example", "IP:192.0.2.7",
        "IP:2001:db8:0::7", "email:a@example.net",
        "URI:spiffe://example.net/prometheus"}) {
    EXPECT_TRUE(IsServed(authority_.Certify({.alternative_names = good})))
        << good;
  }
  for (const char* const bad :
       {"DNS:other.example", "DNS:prometheus.example.net", "IP:192.0.2.8",
        "DNS:192.0.2.70", ""}) {
    // A common name is none.
    EXPECT_FALSE(IsServed(authority_.Certify(
        {.name = "prometheus.example", .alternative_names = bad})))
        << bad;
  }
  EXPECT_FALSE(IsServed(
      stranger_.Certify({.alternative_names = "DNS:prometheus.example"})));
}

TEST_F(TlsServerTest, ServesANewCertificateToTheNextConnection) {
  ServeTls();
  const TlsClient::Options anyone;
  TlsClient before(port_, anyone);
  EXPECT_EQ(before.server_name(), "first");
  Install(authority_.Certify({.name = "second"}));
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "second");
  EXPECT_THAT(before.Get("/long"), HasSubstr(" 200 "));  // goes on
}

TEST_F(TlsServerTest, ServesNoOpenConnectionByOldRulesForClients) {
  const std::string rules =
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca_file: ca.crt\n";
  ServeTls(rules);
  const TlsClient::Options options{
      .authority = authority_.certificate(),
      .certificate = authority_.Certify({.alternative_names = "DNS:a"})};
  TlsClient unchanged(port_, options);
  TlsClient refused(port_, options);
  EXPECT_THAT(unchanged.Get("/long"), HasSubstr(" 200 "));
  folder_.Write("ca.crt", stranger_.certificate());
  Settle();
  const std::string answer = refused.Get("/long");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 421 "));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(TlsServerTest, TrustsAnIntermediateAuthorityWithoutItsRoot) {
  const TestAuthority intermediate = TestAuthority::Below(stranger_);
  folder_.Write("ca.crt", intermediate.certificate());
  ServeTls(
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_ca_file: ca.crt\n");
  EXPECT_TRUE(IsServed(intermediate.Certify({.alternative_names = "DNS:a"})));
  EXPECT_FALSE(IsServed(stranger_.Certify({.alternative_names = "DNS:a"})));
}

TEST_F(TlsServerTest, KeepsTheOldCertificateWhileTheNewOneIsWrong) {
  ServeTls();
  const TlsClient::Options anyone;
  const auto second = authority_.Certify({.name = "second"});
  folder_.Write("server.crt", second.certificate);  // the old key
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "first");
  folder_.Write("server.key", second.key);
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "second");
  folder_.Write("server.crt", "");
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "second");
  std::filesystem::remove(PathFromUtf8(folder_.Path("server.crt")));
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "second");
  folder_.Write("server.crt", second.certificate);
  Settle();
  EXPECT_EQ(TlsClient(port_, anyone).server_name(), "second");
}

// A web configuration that is cut, at any place.
TEST_F(TlsServerTest, TakesAwayNoCheckOfClientsUnlessAsked) {
  const std::string all =
      "  client_ca_file: ca.crt\n"
      "  client_auth_type: RequireAndVerifyClientCert\n"
      "  client_allowed_sans: [prometheus.example]\n";
  const auto wrong = authority_.Certify({.alternative_names = "DNS:a"});
  for (const char* const less :
       {"", "  client_auth_type: RequireAnyClientCert\n",
        "  client_ca_file: ca.crt\n  client_auth_type: RequestClientCert\n",
        "  client_ca_file: ca.crt\n"
        "  client_auth_type: VerifyClientCertIfGiven\n",
        "  client_ca_file: ca.crt\n"
        "  client_auth_type: RequireAndVerifyClientCert\n"}) {
    ServeTls(all);
    folder_.Write("web.yml",
                  "tls_server_config:\n  cert_file: server.crt\n  "
                  "key_file: server.key\n" +
                      std::string(less));
    Settle();
    EXPECT_FALSE(IsServed(wrong)) << less;
    EXPECT_TRUE(security_->Reload().empty()) << less;
    EXPECT_TRUE(IsServed(wrong)) << less;
  }
}

TEST_F(TlsServerTest, AnswersBesideHundredsOfHalfHandshakes) {
  limits_.connections = 64;
  ServeTls();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(port_));
    if (i % 2 == 0) clients.back()->Send("\x16\x03\x01\x02");
  }
  EXPECT_THAT(GetAs({}), HasSubstr(" 200 "));
}

TEST_F(TlsServerTest, GivesAHandshakeAsAWholeATime) {
  limits_.receive_timeout = milliseconds(300);
  ServeTls();
  RawHttpClient client(port_);
  // The beginning of a long ClientHello.
  client.Send(std::string("\x16\x03\x01\x20\x00\x01\x00\x1f\xfc\x03\x03", 11));
  while (!client.WaitForServer(milliseconds(5))) client.Send("a");
  client.ReadToEnd();
  EXPECT_TRUE(client.closed());
}

// The handshake and the first byte behind it have one deadline together.
TEST_F(TlsServerTest, ClosesConnectionsThatAskForNothing) {
  limits_.receive_timeout = milliseconds(200);
  limits_.idle_timeout = milliseconds(100);
  ServeTls();
  TlsClient client(port_, {});
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(TlsServerTest, GivesAnAnswerAsAWholeATime) {
  limits_.send_timeout = milliseconds(100);
  write_ = [](const TextSink& sink) {
    const std::string piece(65536, 'a');
    for (int i = 0; i < 512 && sink(piece); ++i) {
    }
  };
  ServeTls();
  TlsClient slow(port_, {});
  slow.Send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(WaitForCounts(1), (std::vector<Count>{{"/long", 200}}));
  EXPECT_LT(slow.ReadToEnd().size(), 512U * 65536U);
}

}  // namespace
}  // namespace echo_exporter
