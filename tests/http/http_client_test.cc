#include "echo_exporter/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "echo_exporter/web_security.h"
#include "tests/http/http_server_fixture.h"
#include "tests/support/latch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_certificates.h"

namespace echo_exporter {
namespace {

using testing::HasSubstr;

TEST(HttpUrlTest, TakesAUrlApart) {
  const auto url = HttpUrl::Parse("HTTPS://Cmdb.example.net/targets?a=b#c");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->is_tls);
  EXPECT_EQ(url->host, "cmdb.example.net");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->path, "/targets?a=b");
  EXPECT_EQ(HttpUrl::Parse("http://[2001:db8::1]:81?x")->host, "2001:db8::1");
  EXPECT_EQ(HttpUrl::Parse("http://[2001:db8::1]:81?x")->port, 81);
  EXPECT_EQ(HttpUrl::Parse("http://[2001:db8::1]:81?x")->path, "/?x");
  EXPECT_EQ(HttpUrl::Parse("http://192.0.2.1")->port, 80);
}

TEST(HttpUrlTest, RejectsWhatIsNone) {
  for (const char* const text :
       {"", "http://", "ftp://a/", "a", "http:/a", "http://a:0/", "http://a:/",
        "http://a:65536/", "http://a:1x/", "http://2001:db8::1/",
        "http://[192.0.2.1]/", "http://[a]/", "http://a b/",
        "http://a/\r\nX: y", "http://user:secret@a/", "http://a\\@b/",
        "http://\xc3\xa4/"}) {
    EXPECT_FALSE(HttpUrl::Parse(text)) << text;
  }
}

class HttpClientTest : public HttpServerFixture {
 protected:
  HttpGet Request(const std::string& path = "/short") const {
    return {.url = url_ + path, .max_bytes = 1'000'000};
  }

  std::string CauseOf(const HttpGet& request) {
    const auto answer = echo_exporter::Get(request);
    return answer.ok() ? "none" : answer.error().message;
  }

  /// `certificate`: that of the server; `more`: of tls_server_config.
  void ServeTls(const TestCertificate& certificate,
                const std::string& more = "") {
    folder_.Write("server.crt", certificate.certificate);
    folder_.Write("server.key", certificate.key);
    ca_file_ = folder_.Write("ca.crt", authority_.certificate());
    const auto file =
        folder_.Write("web.yml",
                      "tls_server_config:\n  cert_file: server.crt\n  "
                      "key_file: server.key\n" +
                          more);
    auto outcome = WebSecurity::Open(file);
    ASSERT_TRUE(outcome.security) << testing::PrintToString(outcome.errors);
    Serve(outcome.security);
  }

  TestAuthority authority_;
  TemporaryFolder folder_;
  std::string ca_file_;
};

TEST_F(HttpClientTest, GetsAnAnswer) {
  HttpRequest seen;
  respond_ = [&](const HttpRequest& request) {
    seen = request;
    HttpResponse response{.content_type = "application/json", .body = "[]"};
    response.headers = {{"ETag", "\"1\""}};
    return response;
  };
  Serve();
  HttpGet request = Request("/short?agent=web1.example.net&b=c%26d");
  request.headers = {{"Accept", "application/json"}, {"Authorization", "x"}};
  const auto answer = echo_exporter::Get(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().status, 200);
  EXPECT_EQ(answer.value().content_type, "application/json");
  EXPECT_EQ(answer.value().etag, "\"1\"");
  EXPECT_EQ(answer.value().body, "[]");
  EXPECT_EQ(seen.query, "agent=web1.example.net&b=c%26d");
  EXPECT_EQ(seen.Header("Accept"), "application/json");
  EXPECT_EQ(seen.Header("Authorization"), "x");
  EXPECT_EQ(seen.Header("Host"), url_.substr(7));
  EXPECT_EQ(seen.Header("Accept-Encoding"), "gzip");
}

TEST_F(HttpClientTest, HasNoBodyOfAnotherStatus) {
  respond_ = [](const HttpRequest&) { return HttpResponse::Text(503, "Busy"); };
  Serve();
  const auto answer = echo_exporter::Get(Request());
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().status, 503);
  EXPECT_EQ(answer.value().body, "");
}

TEST_F(HttpClientTest, EndsAtTheLimitOfBytesAlsoWhenTheyComeCompressed) {
  write_ = Writing([] { return std::string(2'000'000, 'a'); });
  Serve();
  EXPECT_THAT(CauseOf(Request("/long")), HasSubstr("more than 1000000 bytes"));
  HttpGet request = Request("/long");
  request.max_bytes = 2'000'000;
  const auto answer = echo_exporter::Get(request);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().body, std::string(2'000'000, 'a'));
}

TEST_F(HttpClientTest, FollowsRedirectsToTheSameServerOnly) {
  std::string location;
  respond_ = [&](const HttpRequest& request) {
    if (request.query == "there") return HttpResponse::Text(200, "Found");
    HttpResponse response = HttpResponse::Text(302, "See");
    response.headers = {{"Location", location}};
    return response;
  };
  Serve();
  for (const std::string& near :
       {std::string("/short?there"), url_ + "/short?there"}) {
    location = near;
    const auto answer = echo_exporter::Get(Request());
    ASSERT_TRUE(answer.ok()) << near << ": " << answer.error().message;
    EXPECT_EQ(answer.value().body, "Found\n");
  }
  for (const char* const far :
       {"http://localhost/", "//localhost/", "https://127.0.0.1/", "", "x"}) {
    location = far;
    EXPECT_THAT(CauseOf(Request()), HasSubstr("another server")) << far;
  }
  location = "/short";
  EXPECT_THAT(CauseOf(Request()), HasSubstr("too many redirects"));
}

TEST_F(HttpClientTest, SaysWhatDoesNotWork) {
  Serve();
  const std::string url = url_;
  server_.reset();
  EXPECT_THAT(CauseOf(Request()), HasSubstr("cannot connect to 127.0.0.1:"));
  EXPECT_EQ(CauseOf({.url = "http://nowhere.invalid/"}),
            "nowhere.invalid:80: the host name has no address");
  for (const char* const peer : {"http://a.example/", "https://a.example/"}) {
    EXPECT_THAT(CauseOf({.url = peer, .proxy_url = url}),
                HasSubstr("cannot connect to the proxy 127.0.0.1:"));
  }
  EXPECT_THAT(CauseOf({.url = "x"}), HasSubstr("URL"));
}

TEST_F(HttpClientTest, WaitsForItsTimeOnly) {
  Latch done(1);
  respond_ = [&](const HttpRequest&) {
    done.wait();
    return HttpResponse::Text(200, "Late");
  };
  Serve();
  HttpGet request = Request();
  request.timeout = std::chrono::milliseconds(50);
  EXPECT_THAT(CauseOf(request), HasSubstr("does not answer in time"));
  done.count_down();
  server_.reset();  // the handler uses the latch until it returns
}

TEST_F(HttpClientTest, VerifiesTheCertificate) {
  ServeTls(authority_.Certify({}));
  HttpGet request = Request("/long");
  EXPECT_THAT(CauseOf(request), HasSubstr("is not trusted"));
  request.ca_file = folder_.Write("other.crt", TestAuthority().certificate());
  EXPECT_THAT(CauseOf(request), HasSubstr("is not trusted"));
  request.ca_file = folder_.Write("empty.crt", "");
  EXPECT_THAT(CauseOf(request), HasSubstr("ca_file"));
  request.ca_file = ca_file_;
  EXPECT_EQ(CauseOf(request), "none");
  request.server_name = "localhost";
  EXPECT_EQ(CauseOf(request), "none");
  request.server_name = "example.net";
  EXPECT_THAT(CauseOf(request), HasSubstr("is for another host"));
}

TEST_F(HttpClientTest, RejectsAnExpiredCertificate) {
  ServeTls(authority_.Certify({.expired = true}));
  HttpGet request = Request("/long");
  request.ca_file = ca_file_;
  EXPECT_THAT(CauseOf(request), HasSubstr("expired"));
}

TEST_F(HttpClientTest, AcceptsAnotherNameInTheCertificate) {
  ServeTls(authority_.Certify({.alternative_names = "DNS:cmdb.example.net"}));
  HttpGet request = Request("/long");
  request.ca_file = ca_file_;
  EXPECT_THAT(CauseOf(request), HasSubstr("is for another host"));
  request.server_name = "cmdb.example.net";
  EXPECT_EQ(CauseOf(request), "none");
}

TEST_F(HttpClientTest, ShowsItsOwnCertificate) {
  const TestCertificate own = authority_.Certify({.name = "client"});
  ServeTls(authority_.Certify({}),
           "  client_auth_type: RequireAndVerifyClientCert\n"
           "  client_ca_file: ca.crt\n");
  HttpGet request = Request("/long");
  request.ca_file = ca_file_;
  EXPECT_NE(CauseOf(request), "none");
  request.cert_file = folder_.Write("client.crt", own.certificate);
  request.key_file = folder_.Write("client.key", own.key);
  EXPECT_EQ(CauseOf(request), "none");
  request.key_file = folder_.Write("other.key", authority_.Certify({}).key);
  EXPECT_THAT(CauseOf(request), HasSubstr("cert_file or key_file"));
}

}  // namespace
}  // namespace echo_exporter
