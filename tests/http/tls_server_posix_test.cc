#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/http/http_server_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tls_client.h"

namespace echo_exporter {
namespace {

class TlsServerPosixTest : public HttpServerFixture {};

// Windows has a store of its own instead, which no test may change.
TEST_F(TlsServerPosixTest, TrustsTheSystemsAuthoritiesWithoutAnyNamed) {
  const TestAuthority authority;
  const TestAuthority stranger;
  const TemporaryFolder folder;
  const TestCertificate own = authority.Certify({});
  folder.Write("server.crt", own.certificate);
  folder.Write("server.key", own.key);
  const std::string trusted = folder.Write("ca.crt", authority.certificate());
  ASSERT_EQ(setenv("SSL_CERT_FILE", trusted.c_str(), /*overwrite=*/1), 0);
  const auto outcome = WebSecurity::Open(
      folder.Write("web.yml",
                   "tls_server_config:\n  cert_file: server.crt\n"
                   "  key_file: server.key\n"
                   "  client_auth_type: RequireAndVerifyClientCert\n"));
  unsetenv("SSL_CERT_FILE");
  ASSERT_TRUE(outcome.security) << testing::PrintToString(outcome.errors);
  EXPECT_EQ(outcome.warnings.size(), 1U);
  Serve(outcome.security);
  const auto get_as = [&](const TestCertificate& certificate) {
    TlsClient client(port_, {.authority = authority.certificate(),
                             .certificate = certificate});
    return client.Get("/long");
  };
  EXPECT_NE(get_as(authority.Certify({})).find(" 200 "), std::string::npos);
  EXPECT_EQ(get_as(stranger.Certify({})), "");
}

}  // namespace
}  // namespace echo_exporter
