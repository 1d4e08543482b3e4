#include "src/http/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace echo_exporter {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::Pair;

std::optional<RequestHead> ParseWith(const std::string& headers) {
  return ParseRequestHead("GET / HTTP/1.1\r\n" + headers + "\r\n");
}

TEST(RequestHeadTest, HasWhatWasSent) {
  const auto head = ParseRequestHead(
      "BREW /a%20b?c=%31+ HTTP/1.1\r\nHost: a:1\r\nX-One:\t 1, 2 \r\n"
      "x-one:\r\nX-Two: \xc3\xbc:b\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "BREW");
  EXPECT_EQ(head->target, "/a%20b?c=%31+");
  EXPECT_FALSE(head->is_http10);
  EXPECT_THAT(head->headers,
              ElementsAre(Pair("Host", "a:1"), Pair("X-One", "1, 2"),
                          Pair("x-one", ""), Pair("X-Two", "\xc3\xbc:b")));
  EXPECT_FALSE(head->HasBody());
}

TEST(RequestHeadTest, HasPathAndQueryOfATarget) {
  const std::pair<const char*, const char*> kTargets[] = {
      {"/", "/"},
      {"*", "*"},
      {"//a", "//a"},
      {"http://a", "/"},
      {"http://a/", "/"},
      {"HTTPS://a:1/b?c=http://d/", "/b?c=http://d/"},
      {"hTTp://a?b/c", "/?b/c"}};
  for (const auto& [sent, target] : kTargets) {
    const auto head =
        ParseRequestHead("GET "s + sent + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(head) << sent;
    EXPECT_EQ(head->target, target) << sent;
  }
}

TEST(RequestHeadTest, RejectsLinesThatAreNoRequest) {
  for (const std::string& line : {""s,
                                  "GET"s,
                                  "GET /"s,
                                  "GET / "s,
                                  " / HTTP/1.1"s,
                                  "GET  / HTTP/1.1"s,
                                  "GET /  HTTP/1.1"s,
                                  "GET / / HTTP/1.1"s,
                                  "GET\t/ HTTP/1.1"s,
                                  "GET /\t HTTP/1.1"s,
                                  "GET /\0 HTTP/1.1"s,
                                  "GET /\x7f HTTP/1.1"s,
                                  "G\"T / HTTP/1.1"s,
                                  "GET / HTTP/1.2"s,
                                  "GET / HTTP/2.0"s,
                                  "GET / http/1.1"s,
                                  "GET / HTTP/1.1 "s,
                                  "GET a HTTP/1.1"s,
                                  "GET a:1 HTTP/1.1"s,
                                  "GET http HTTP/1.1"s,
                                  "GET http:/// HTTP/1.1"s,
                                  "GET http://?a HTTP/1.1"s,
                                  "GET ://a HTTP/1.1"s,
                                  "GET ftp://a/ HTTP/1.1"s,
                                  "GET http,https://a/ HTTP/1.1"s}) {
    EXPECT_FALSE(ParseRequestHead(line + "\r\nHost: a\r\n\r\n")) << line;
  }
}

TEST(RequestHeadTest, RejectsWhatIsNoHeaderOrNotTheEnd) {
  for (const std::string& headers :
       {"X\r\n"s, ": b\r\n"s, "X : b\r\n"s, "X\t: b\r\n"s, " X: b\r\n"s,
        "X: a\r\n b\r\n"s, "X\0: b\r\n"s, "X\xc3\xbc: b\r\n"s, "X(: b\r\n"s,
        "X: b\0\r\n"s, "X: b\rc\r\n"s, "X: b\n"s, "X: b\x7f\r\n"s,
        "X: \x1b[1m\r\n"s, "X: b\r\n\r\nGET / HTTP/1.1\r\n"s}) {
    EXPECT_FALSE(ParseWith("Host: a\r\n" + headers)) << headers;
  }
  for (const char* const text :
       {"", "\r\n", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\nHost: a\n\n"}) {
    EXPECT_FALSE(ParseRequestHead(text)) << text;
  }
}

TEST(RequestHeadTest, HasOneHost) {
  for (const char* const good :
       {"Host: a\r\n", "hOST:\r\n", "Host: [::1]:1\r\n", "Host: a.b-c_~:1\r\n",
        "Host: %41\r\n"}) {
    EXPECT_TRUE(ParseWith(good)) << good;
  }
  for (const char* const bad :
       {"", "X: a\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost:\r\n",
        "Host: a b\r\n", "Host: a/b\r\n", "Host: a@b\r\n", "Host: a,\"b\r\n"}) {
    EXPECT_FALSE(ParseWith(bad)) << bad;
  }
  const auto old = ParseRequestHead("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->is_http10);
  EXPECT_FALSE(
      ParseRequestHead("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"));
}

TEST(RequestHeadTest, KnowsWhetherABodyFollows) {
  const auto has_body = [](const std::string& headers) {
    const auto head = ParseWith("Host: a\r\n" + headers);
    EXPECT_TRUE(head) << headers;
    return head && head->HasBody();
  };
  EXPECT_FALSE(has_body("Content-Length: 0\r\n"));
  for (const char* const body :
       {"Content-Length: 1\r\n", "content-length: 00\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\n", "transfer-encoding:\r\n"}) {
    EXPECT_TRUE(has_body(body)) << body;
  }
  for (const char* const unclear :
       {"Content-Length:\r\n", "Content-Length: -1\r\n",
        "Content-Length: +1\r\n", "Content-Length: 0x1\r\n",
        "Content-Length: 1, 1\r\n", "Content-Length: %31\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"}) {
    EXPECT_FALSE(ParseWith("Host: a\r\n"s + unclear)) << unclear;
  }
}

TEST(RequestHeadTest, FindsATokenInAllHeadersWithAName) {
  const auto head =
      ParseWith("Host: a\r\nConnection: TE\r\ncONNECTION: x , Close\r\n");
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->HasToken("connection", "close"));
  EXPECT_TRUE(head->HasToken("Connection", "te"));
  EXPECT_FALSE(head->HasToken("Connection", "clos"));
  EXPECT_FALSE(head->HasToken("Host", "close"));
}

TEST(RequestHeadTest, EndsWithAnEmptyLine) {
  for (const char* const end :
       {"\n", "\r\n", "a\r\n\r\n", "a\n\n", "a\n\r\n"}) {
    EXPECT_TRUE(EndsHead(end)) << end;
  }
  for (const char* const more : {"", "\r", "a\n", "a\r\n", "a\r\n\r"}) {
    EXPECT_FALSE(EndsHead(more)) << more;
  }
}

}  // namespace
}  // namespace echo_exporter
