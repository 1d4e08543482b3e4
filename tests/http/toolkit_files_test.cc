#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>

#include "echo_exporter/web_security.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace echo_exporter {
namespace {

using testing::SizeIs;

constexpr const char* kToolkitHash =
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// The files that the tests of Prometheus's exporter-toolkit load, by their
/// names without "web_config_" and the like: what each is about, and whether it
/// is valid there.
struct ToolkitFile {
  const char* name;
  std::string tls;  ///< within tls_server_config: {}; empty: no such section
  std::string more;
  bool valid = false;
  std::size_t warnings = 0;
};

constexpr const char* kPair = "cert_file: server.crt, key_file: server.key";

class ToolkitFilesTest : public testing::Test {
 protected:
  ToolkitFilesTest() {
    const TestAuthority authority;
    const TestCertificate server = authority.Certify({});
    folder_.Write("server.crt", server.certificate);
    folder_.Write("server.key", server.key);
    folder_.Write("ca.crt", authority.certificate());
    folder_.Write("text", "no certificate");
    inline_cert_ = "cert: " + OneLine(server.certificate);
    inline_key_ = "key: " + OneLine(server.key);
  }

  void Check(const ToolkitFile& file) {
    std::string text = file.more;
    if (!file.tls.empty()) {
      text += "\ntls_server_config: {" + file.tls + "}\n";
    }
    const auto outcome = WebSecurity::Open(folder_.Write("web.yml", text));
    EXPECT_EQ(outcome.errors.empty(), file.valid)
        << file.name << testing::PrintToString(outcome.errors);
    EXPECT_EQ(outcome.security != nullptr, file.valid) << file.name;
    EXPECT_THAT(outcome.warnings, SizeIs(file.warnings)) << file.name;
  }

  /// As a double-quoted scalar.
  static std::string OneLine(const std::string& pem) {
    std::string text = "\"";
    for (const char c : pem) text += c == '\n' ? "\\n" : std::string(1, c);
    return text + '"';
  }

  const TemporaryFolder folder_;
  std::string inline_cert_;
  std::string inline_key_;
};

TEST_F(ToolkitFilesTest, AreValidHereIfTheyAreThere) {
  const std::string pair = kPair;
  const std::string if_given =
      pair + ", client_auth_type: VerifyClientCertIfGiven";
  const std::string required =
      pair + ", client_auth_type: RequireAndVerifyClientCert";
  const std::string sans = ", client_allowed_sans: ";
  const std::string users =
      "basic_auth_users: {alice: " + std::string(kToolkitHash) +
      ", bob: " + kToolkitHash + "}";
  const ToolkitFile kFiles[] = {
      {"empty", "", "", true},
      {"junk", "", "hsdfhsdf", false},
      {"junk_key", "cert_filse: server.crt", "", false},
      {"noAuth_certPath_empty.bad", "cert_file: '', key_file: server.key", ""},
      {"noAuth_cert_empty.bad", "cert: '', key_file: server.key", ""},
      {"noAuth_keyPath_empty.bad", "cert_file: server.crt, key_file: ''", ""},
      {"noAuth_key_empty.bad", "cert_file: server.crt, key: ''", ""},
      {"noAuth_certPath_keyPath_empty.bad",
       "cert_file: '', key_file: '', client_auth_type: x", ""},
      {"noAuth_certPath_invalid.bad", "cert_file: none, key_file: server.key",
       ""},
      {"noAuth_keyPath_invalid.bad", "cert_file: server.crt, key_file: none",
       ""},
      {"noAuth_certPath_keyPath_invalid.bad", "cert_file: none, key_file: none",
       ""},
      {"noAuth.bad", pair + ", client_ca_file: ca.crt", ""},
      {"auth_clientCAs_invalid.bad", pair + ", client_ca_file: none", ""},
      {"auth_user_list_invalid.bad", pair, "basic_auth_users: {john: doe}"},
      {"noAuth_inventedCiphers.bad",
       if_given + ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]",
       ""},
      {"noAuth_inventedCurves.bad",
       if_given + ", curve_preferences: [CurveP257]", ""},
      {"noAuth_wrongTLSVersion.bad", if_given + ", min_version: TLS111", ""},
      {"noAuth.good", if_given, "", true, 1},
      {"noAuth.good.blocking", required, "", true, 1},
      {"noAuth_tlsInline.good",
       inline_cert_ + ", " + inline_key_ +
           ", client_auth_type: VerifyClientCertIfGiven",
       "", true, 1},
      {"noAuth_allCiphers.good",
       if_given +
           ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
           "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,"
           "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
           "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,"
           "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,"
           "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,"
           "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,"
           "TLS_CHACHA20_POLY1305_SHA256,TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,"
           "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,"
           "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,"
           "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]",
       "", true, 1},
      {"noAuth_someCiphers.good",
       if_given + ", min_version: TLS12, max_version: TLS12, "
                  "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
                  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
       "", true, 1},
      {"noAuth_someCiphers_noOrder.good",
       if_given + ", prefer_server_cipher_suites: false, max_version: TLS12, "
                  "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,"
                  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]",
       "", true, 1},
      {"noAuth_allCurves.good",
       if_given +
           ", curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]",
       "", true, 1},
      {"noAuth_someCurves.good",
       if_given + ", min_version: TLS13, curve_preferences: [CurveP521]", "",
       true, 1},
      {"noAuth_noHTTP2.good",
       if_given + ", max_version: TLS12, "
                  "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
       "http_server_config: {http2: false}", true, 1},
      {"headers.good", "",
       "http_server_config: {headers: {X-Frame-Options: deny, "
       "Strict-Transport-Security: max-age=31536000; includeSubDomains, "
       "X-Content-Type-Options: nosniff, X-XSS-Protection: 1, "
       "Content-Security-Policy: default-src 'self' *.example.net}}",
       true},
      {"headers_content_type_options.bad", "",
       "http_server_config: {headers: {X-Content-Type-Options: sniff}}"},
      {"headers_frame_options.bad", "",
       "http_server_config: {headers: {X-Frame-Options: foo}}"},
      {"headers_extra_header.bad", "",
       "http_server_config: {headers: {Content-Type: foo}}"},
      {"noAuth.requireanyclientcert.good",
       pair +
           ", client_auth_type: RequireAnyClientCert, client_ca_file: ca.crt",
       "", true},
      {"noAuth.requireanyclientcertkeyinline.good",
       "cert_file: server.crt, " + inline_key_ +
           ", client_auth_type: RequireAnyClientCert",
       "", true},
      {"noAuth.requireandverifyclientcert.good",
       required + ", client_ca_file: ca.crt", "", true},
      {"auth_client_san.good",
       required + ", client_ca_file: ca.crt" + sans + "[one, test3, two]", "",
       true},
      // Which lets no client of the test in.
      {"auth_client_san.bad",
       required + ", client_ca_file: ca.crt" + sans + "[bad]", "", true},
      {"auth_client_san_no_client_auth.bad", pair + sans + "[one]", ""},
      {"auth_client_san_optional_cert.bad",
       if_given + ", client_ca_file: ca.crt" + sans + "[one]", ""},
      {"auth_clientCAs_nocerts.bad", required + ", client_ca_file: text", ""},
      {"auth_clientCAsText_nocerts.bad", required + ", client_ca: text", ""},
      {"rate_limiter_nonblocking", "", "rate_limit: {interval: 0, burst: 0}",
       true, 1},
      {"rate_limiter_one_second", "", "rate_limit: {interval: 1s, burst: 0}",
       true, 1},
      {"rate_limiter_headers", "",
       "rate_limit: {interval: 1h, burst: 1}\n"
       "http_server_config: {headers: {X-Frame-Options: deny}}",
       true},
      {"users.good", pair, users, true},
      {"users_noTLS.good", "", users, true},
  };
  for (const ToolkitFile& file : kFiles) Check(file);
}

// There it needs another cipher suite for HTTP/2, which is not spoken here.
TEST_F(ToolkitFilesTest, AreValidHereIfOnlyHttp2FailsThere) {
  Check({"noAuth_noHTTP2Cipher.bad",
         std::string(kPair) +
             ", client_auth_type: VerifyClientCertIfGiven, max_version: TLS12, "
             "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
         "", true, 1});
}

// There it is sent without a value.
TEST_F(ToolkitFilesTest, SetsNoHeaderWithoutAValue) {
  Check({"", "",
         "http_server_config: {headers: {Content-Security-Policy: '', "
         "Strict-Transport-Security: '', X-XSS-Protection: ''}}",
         true});
  Check({"", "", "http_server_config: {headers: {X-Frame-Options: ''}}"});
}

}  // namespace
}  // namespace echo_exporter
