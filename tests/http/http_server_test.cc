#include "echo_exporter/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/http/http_server_fixture.h"
#include "tests/support/gunzip.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class HttpServerTest : public HttpServerFixture {
 protected:
  /// The answer, and all that follows it, to bytes that end a connection.
  std::string AnswerToLast(const std::string& bytes) {
    RawHttpClient client(port_);
    EXPECT_TRUE(client.connected());
    client.Send(bytes);
    std::string answer = client.ReadToEnd();
    EXPECT_TRUE(client.closed());
    return answer;
  }
};

TEST_F(HttpServerTest, SendsWhatAHandlerResponds) {
  respond_ = [](const HttpRequest&) {
    return HttpResponse{.status = 403,
                        .content_type = "text/x-short",
                        .body = "not allowed\n",
                        .headers = {{"X-More", "m"}}};
  };
  Serve();
  const auto response = Get("/short");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, "not allowed\n");
  EXPECT_EQ(response->header("Content-Type"), "text/x-short");
  EXPECT_EQ(response->header("X-More"), "m");
  EXPECT_EQ(response->header("X-Content-Type-Options"), "nosniff");
}

TEST_F(HttpServerTest, SendsALongBodyWithItsHeaders) {
  Serve();
  const auto response = Get("/long?ignored=1");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "a 1\n");
  EXPECT_EQ(response->header("Content-Type"), "text/x-long");
  EXPECT_EQ(response->header("X-Content-Type-Options"), "nosniff");
}

TEST_F(HttpServerTest, HandsHandlersTheRequest) {
  HttpRequest asked;
  respond_ = [&asked](const HttpRequest& request) {
    asked = request;
    return HttpResponse();
  };
  Serve();
  AnswerToLast(
      "GET /%73hort?a=%3A&a=b?+ HTTP/1.1\r\nHost: a\r\nX-First: 1\r\nx-SECOND: "
      " 2 3 \r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.path, "/short");
  EXPECT_EQ(asked.query, "a=%3A&a=b?+");
  EXPECT_EQ(asked.Header("x-first"), "1");
  EXPECT_EQ(asked.Header("X-Second"), "2 3");
  EXPECT_EQ(asked.Header("X-Third"), std::nullopt);
  EXPECT_EQ(asked.client, IpAddress::V4({127, 0, 0, 1}));
}

TEST_F(HttpServerTest, AnswersHeadLikeGetWithoutTheBody) {
  Serve();
  const std::string answer = AnswerToLast(
      "HEAD /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(Contains(answer, "Content-Length: 6\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpServerTest, AnswersUnknownPathsWith404) {
  Serve();
  for (const char* path :
       {"/", "/shor", "/short/", "//", "/%00", "/short%3f"}) {
    const auto result = Get(path);
    ASSERT_TRUE(result) << path;
    EXPECT_EQ(result->status, 404) << path;
    EXPECT_FALSE(result->body.empty()) << path;
    EXPECT_EQ(result->header("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(HttpServerTest, AnswersOtherMethodsWith405AndTheAllowedOnes) {
  Serve();
  for (const char* method :
       {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    const std::string answer = AnswerToLast(std::string(method) +
                                            " /short HTTP/1.1\r\nHost: a\r\n"
                                            "Content-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
    EXPECT_TRUE(Contains(answer, "Allow: GET, HEAD\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Only GET and HEAD are allowed here.\n"))
        << answer;
  }
  const auto response = Get("/post");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 405);
  EXPECT_EQ(response->header("Allow"), "POST");
  EXPECT_EQ(response->body, "Only POST is allowed here.\n");
  const auto posted = HttpClient(url_).Post("/post");
  ASSERT_TRUE(posted);
  EXPECT_EQ(posted->status, 200);
}

TEST_F(HttpServerTest, AnswersExceptionsWith500) {
  respond_ = [](const HttpRequest& request) -> HttpResponse {
    if (request.query == "a") throw 1;
    throw std::runtime_error("x");
  };
  Serve();
  for (const char* path : {"/short", "/short?a", "/short"}) {
    const auto response = Get(path);
    ASSERT_TRUE(response) << path;
    EXPECT_EQ(response->status, 500);
    EXPECT_EQ(response->body, "Internal Server Error.\n");
  }
}

// The status is on its way by then, so the answer must not look complete.
TEST_F(HttpServerTest, BreaksOffAnAnswerWhoseWritingFails) {
  write_ = [](const TextSink& sink) {
    sink("a 1\n");
    throw std::runtime_error("x");
  };
  Serve();
  EXPECT_FALSE(Get("/long"));
  EXPECT_TRUE(Get("/short"));
}

TEST_F(HttpServerTest, CompressesALongBodyForThoseWhoAskForIt) {
  // Several pieces, each larger than the encoder's buffer when compressed.
  std::string text;
  std::minstd_rand random;
  while (text.size() < 1'000'000) text += static_cast<char>(random());
  write_ = [&](const TextSink& sink) {
    const std::string_view all = text;
    sink(all.substr(0, 300'000));
    sink(all.substr(300'000));
  };
  Serve();
  HttpClient client(url_);
  const auto plain = client.Get("/long");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->body, text);
  EXPECT_EQ(plain->header_count("Content-Encoding"), 0U);
  const auto packed = client.Get("/long", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed->header("Vary"), "Accept-Encoding");
  EXPECT_EQ(Unzip(packed->body), text);
  // And once more on the same connection.
  const auto again = client.Get("/long", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(again);
  EXPECT_EQ(Unzip(again->body), text);
}

TEST_F(HttpServerTest, ReadsRepeatedHeadersAsOneList) {
  Serve();
  const std::string answer = AnswerToLast(
      "GET /long HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n"
      "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(Contains(answer, "Content-Encoding: gzip")) << answer;
}

TEST_F(HttpServerTest, SendsALongBodyWithoutChunksToHttp10) {
  Serve();
  const std::string answer =
      AnswerToLast("GET /long HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\na 1\n")) << answer;
  EXPECT_FALSE(Contains(answer, "chunked")) << answer;
}

TEST_F(HttpServerTest, SendsALongBodyToHttp10AsItComes) {
  std::atomic<bool> taken = false;
  write_ = [&taken](const TextSink& sink) {
    taken = sink("a 1\n");
    sink("b 2\n");
  };
  Serve();
  const std::string answer =
      AnswerToLast("GET /long HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\na 1\nb 2\n")) << answer;
  EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
  EXPECT_FALSE(Contains(answer, "Content-Length")) << answer;
  EXPECT_TRUE(taken);
}

TEST_F(HttpServerTest, SendsAllToWhoAsksForAPart) {
  Serve();
  for (const char* range : {"bytes=0-0", "bytes=99-", "bytes=-1"}) {
    const std::string answer = AnswerToLast(
        std::string("GET /long HTTP/1.1\r\nHost: a\r\nConnection: close"
                    "\r\nRange: ") +
        range + "\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "a 1\n")) << answer;
  }
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttp) {
  Serve();
  for (const char* bytes :
       {"hello\r\n\r\n", "\r\n\r\n", "GET /long\r\n\r\n",
        "BREW /long HTTP/1.1\r\nHost: a\r\n\r\n", "GET /long HTTP/2.0\r\n\r\n",
        "GET /long HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"}) {
    const std::string answer = AnswerToLast(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("The request is not valid HTTP/1.1.\n"))
        << answer;
  }
  EXPECT_TRUE(IsServing());
}

TEST_F(HttpServerTest, RefusesHeadsThatOthersMayReadInAnotherWay) {
  Serve();
  using namespace std::string_literals;
  const std::string good = "GET /long HTTP/1.1\r\n";
  for (const std::string& head :
       {"Host : a\r\n"s, "Host: a\r\nX : b\r\n"s, "Host: a\r\nX\t: b\r\n"s,
        "Host: a\r\n X: b\r\n"s, "Host: a\r\nX\0: b\r\n"s,
        "Host: a\r\nX\x1f: b\r\n"s, "Host: a\r\nX: b\0c\r\n"s,
        "Host: a\r\nX: b\rc\r\n"s, "Host: a\r\nX: b\n"s,
        "Host: a\r\nContent-Length: %30\r\n"s,
        "Host: a\r\nContent-Length: %31%30\r\n"s, ""s, "X: b\r\n"s,
        "Host: a\r\nHost: a\r\n"s, "Host: a\r\nhost: b\r\n"s, "Host: a b\r\n"s,
        "Host: a/b\r\n"s}) {
    const std::string answer =
        AnswerToLast(good + head + "\r\n" + good + "Host: a\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << head << answer;
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << head << answer;
    EXPECT_TRUE(answer.ends_with("The request is not valid HTTP/1.1.\n"))
        << head << answer;
  }
  for (const std::string& line :
       {"GET /lo\0ng HTTP/1.1\r\n"s, "GET /lo\tng HTTP/1.1\r\n"s,
        "GET  /long HTTP/1.1\r\n"s, "GET long HTTP/1.1\r\n"s,
        "GET http:///long HTTP/1.1\r\n"s, "GET ftp://a/long HTTP/1.1\r\n"s,
        "GET /long HTTP/1.1\n"s, "\r\n\r\nGET /long HTTP/1.1\r\n"s}) {
    EXPECT_TRUE(
        AnswerToLast(line + "Host: a\r\n\r\n").starts_with("HTTP/1.1 400 "))
        << line;
  }
}

TEST_F(HttpServerTest, TakesWhatClientsMaySend) {
  Serve();
  for (const char* const start :
       {"GET http://a/long HTTP/1.1\r\nHost: b\r\n",
        "GET HTTPS://a:80/long?x=http://b/ HTTP/1.1\r\nHost: a:80\r\n",
        "\r\nGET /long HTTP/1.1\r\nHost: a\r\n",
        "GET /long HTTP/1.1\r\nHost:\r\n",
        "GET /long HTTP/1.1\r\nHost: [::1]:10115\r\n", "GET /long HTTP/1.0\r\n",
        "GET /long HTTP/1.1\r\nhOST: a\r\n",
        "GET /long HTTP/1.1\r\nHost: a\r\nRange: lines=1-2\r\n",
        "GET /long HTTP/1.1\r\nHost: a\r\nRange: nonsense\r\n",
        "GET /long HTTP/1.1\r\nHost: a\r\nX: %zz\xc3\xbc\t b\r\n"}) {
    const std::string answer =
        AnswerToLast(std::string(start) + "Connection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << start << answer;
    EXPECT_TRUE(Contains(answer, "a 1\n")) << start << answer;
  }
}

TEST_F(HttpServerTest, HandsHandlersValuesAsSent) {
  HttpRequest asked;
  respond_ = [&asked](const HttpRequest& request) {
    asked = request;
    return HttpResponse();
  };
  Serve();
  AnswerToLast(
      "GET http://a/short?b=%31 HTTP/1.1\r\nHost: a\r\nX: %31 \r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(asked.path, "/short");
  EXPECT_EQ(asked.query, "b=%31");
  EXPECT_EQ(asked.Header("X"), "%31");
}

TEST_F(HttpServerTest, RefusesOverlongAddressesAndHeads) {
  Serve();
  const std::string line = "GET /long HTTP/1.1\r\nHost: a\r\n";
  const std::string filler(20000, 'a');
  EXPECT_TRUE(AnswerToLast("GET /" + filler + " HTTP/1.1\r\nHost: a\r\n\r\n")
                  .starts_with("HTTP/1.1 414 "));
  EXPECT_TRUE(AnswerToLast("GET /" + filler).starts_with("HTTP/1.1 414 "));
  EXPECT_TRUE(AnswerToLast(line + "X: " + filler + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  std::string many = line;
  for (int i = 0; i < 90; ++i) {
    many += "X: " + std::string(1000, 'a') + "\r\n";
  }
  EXPECT_TRUE(AnswerToLast(many + "\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, AcceptsAHeadOfEightKilobytes) {
  Serve();
  const std::string head =
      "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";
  const std::string rest(8192 - head.size() - 4, 'a');
  EXPECT_TRUE(
      AnswerToLast(head + rest + "\r\n\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(
      AnswerToLast(head + rest + "a\r\n\r\n").starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, DoesNotWaitForAnAnnouncedBody) {
  Serve();
  const std::string answer = AnswerToLast(
      "GET /long HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 417 ")) << answer;
  EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
}

TEST_F(HttpServerTest, DoesNotWaitForABodyThatDoesNotCome) {
  limits_.receive_timeout = std::chrono::hours(1);
  Serve();
  for (const char* request :
       {"POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n",
        "POST /post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /short HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345",
        "POST /post HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    const std::string answer = AnswerToLast(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Hello\n")) << answer;
  }
}

TEST_F(HttpServerTest, GoesOnBehindErrorsAndRequestsWithoutABody) {
  Serve();
  const std::string answers = AnswerToLast(
      "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\nPOST /short HTTP/1.1\r\nHost: "
      "a\r\n\r\n"
      "POST /post HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answers.starts_with("HTTP/1.1 404 ")) << answers;
  EXPECT_TRUE(Contains(answers, "HTTP/1.1 405 ")) << answers;
  EXPECT_TRUE(Contains(answers, "\r\n\r\nHello\n")) << answers;
  EXPECT_TRUE(Contains(answers, "a 1\n")) << answers;
  // Only the last one.
  EXPECT_EQ(answers.find("Connection: close\r\n"),
            answers.rfind("Connection: close\r\n"));
}

TEST_F(HttpServerTest, StaysWithHttpWhereAnotherProtocolIsOffered) {
  Serve();
  for (const char* path : {"/short", "/long"}) {
    const std::string answers = AnswerToLast(
        "GET " + std::string(path) +
        " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answers.starts_with("HTTP/1.1 200 OK\r\n")) << answers;
    EXPECT_TRUE(Contains(answers, "Content-Length: 6\r\n") ||
                Contains(answers, "Transfer-Encoding: chunked\r\n"))
        << answers;
    EXPECT_TRUE(Contains(answers, "HTTP/1.1 404 ")) << answers;
  }
}

TEST_F(HttpServerTest, TakesTheAcceptHeadersThatClientsSend) {
  Serve();
  for (const char* accept :
       {// Prometheus 3
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
         "q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
         "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"),
        // Prometheus with native histograms
        ("application/vnd.google.protobuf;proto=io.prometheus.client."
         "MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.1"),
        // Java, wget, a browser
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "*/*", "",
        // RFC 9110 section 5.6.1.2, and what is no list of media types
        "a/b,,c/d", ",", "a/b,", "a/b;q=2", "nonsense",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}) {
    const auto response = Get("/long", {{"Accept", accept}});
    ASSERT_TRUE(response) << accept;
    EXPECT_EQ(response->status, 200) << accept;
  }
}

TEST_F(HttpServerTest, ServesPipelinedRequestsInOrder) {
  Serve();
  const std::string answers = AnswerToLast(
      "GET /short HTTP/1.1\r\nHost: a\r\n\r\nGET /long HTTP/1.1\r\nHost: "
      "a\r\n\r\n"
      "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto first = answers.find("Hello\n");
  const auto second = answers.find("a 1\n");
  const auto third = answers.find("HTTP/1.1 404 ");
  EXPECT_LT(first, second) << answers;
  EXPECT_LT(second, third) << answers;
  EXPECT_NE(third, std::string::npos) << answers;
}

TEST_F(HttpServerTest, KeepsConnectionsOpenBetweenRequests) {
  limits_.idle_timeout = HttpLimits().idle_timeout;
  Serve();
  RawHttpClient client(port_);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.Send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_TRUE(Contains(client.ReadUntil("a 1\n"), "Keep-Alive: timeout=65"));
    EXPECT_FALSE(client.closed());
  }
}

TEST_F(HttpServerTest, EndsTheConnectionForWhoeverAsksForIt) {
  Serve();
  for (const char* header :
       {"Connection: close", "Connection: Close", "connection: CLOSE",
        "Connection: close, TE", "Connection: TE , close",
        "Connection: TE\r\nConnection: Close"}) {
    const std::string answer = AnswerToLast(
        "GET /short HTTP/1.1\r\nHost: a\r\n" + std::string(header) +
        "\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
    EXPECT_FALSE(Contains(answer, "Keep-Alive")) << answer;
    EXPECT_TRUE(answer.ends_with("Hello\n")) << answer;
  }
}

TEST_F(HttpServerTest, KeepsTheConnectionOfWhoeverDoesNotAskForItsEnd) {
  limits_.idle_timeout = HttpLimits().idle_timeout;
  Serve();
  RawHttpClient client(port_);
  for (const char* header : {"Connection: Keep-Alive", "Connection: closed",
                             "Connection: TE", "Connection:"}) {
    ASSERT_TRUE(client.Send("GET /short HTTP/1.1\r\nHost: a\r\n" +
                            std::string(header) + "\r\n\r\n"));
    const std::string answer = client.ReadUntil("Hello\n");
    EXPECT_TRUE(Contains(answer, "Keep-Alive: timeout=65")) << answer;
  }
}

TEST_F(HttpServerTest, TakesNoRequestFromTheBodyOfAnother) {
  Serve();
  for (const char* framing :
       {"Content-Length: 34", "Transfer-Encoding: chunked"}) {
    const std::string answer = AnswerToLast(
        "GET /short HTTP/1.1\r\nHost: a\r\n" + std::string(framing) +
        "\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Hello\n")) << answer;
  }
}

TEST_F(HttpServerTest, RefusesRequestsWhoseLengthIsNotClear) {
  Serve();
  for (const char* framing :
       {"Content-Length: -1", "Content-Length: 1x",
        "Content-Length:", "Content-Length: 0\r\nContent-Length: 34",
        "Content-Length: 0\r\nTransfer-Encoding: chunked"}) {
    const std::string answer = AnswerToLast(
        "GET /long HTTP/1.1\r\nHost: a\r\n" + std::string(framing) +
        "\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << framing << answer;
    EXPECT_TRUE(answer.ends_with("The request is not valid HTTP/1.1.\n"))
        << framing << answer;
  }
}

TEST_F(HttpServerTest, CountsEveryAnswerOnceUnderItsRoute) {
  respond_ = [](const HttpRequest& request) {
    return HttpResponse::Text(request.query.empty() ? 200 : 503, "");
  };
  Serve();
  for (const char* path : {"/long", "/long?a=b", "/short", "/short?a=b",
                           "/secret%0A", "/favicon.ico"}) {
    ASSERT_TRUE(Get(path)) << path;
  }
  HttpClient(url_).Post("/long");
  AnswerToLast("nonsense\r\n\r\n");
  AnswerToLast("GET /" + std::string(9000, 'a') +
               " HTTP/1.1\r\nHost: a\r\n\r\n");

  EXPECT_EQ(WaitForCounts(9), (std::vector<Count>{{"/long", 200},
                                                  {"/long", 200},
                                                  {"/long", 405},
                                                  {"/short", 200},
                                                  {"/short", 503},
                                                  {"other", 400},
                                                  {"other", 404},
                                                  {"other", 404},
                                                  {"other", 414}}));
}

}  // namespace
}  // namespace echo_exporter
