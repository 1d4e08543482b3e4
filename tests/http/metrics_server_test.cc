#include "echo_exporter/metrics_server.h"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/http/metrics_server_fixture.h"
#include "tests/support/gunzip.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class MetricsServerTest : public MetricsServerFixture {
 protected:
  /// The answer, and all that follows it, to bytes that end a connection.
  std::string AnswerToLast(const std::string& bytes) {
    RawHttpClient client(port_);
    EXPECT_TRUE(client.connected());
    client.Send(bytes);
    const std::string answer = client.ReadToEnd();
    EXPECT_TRUE(client.closed());
    return answer;
  }
};

TEST_F(MetricsServerTest, ServesMetricsInTheTextFormat) {
  Serve();
  const auto result = Get("/metrics?ignored=1");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body, "a 1\n");
  EXPECT_EQ(result->get_header_value("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff");
}

TEST_F(MetricsServerTest, AnswersHeadLikeGetWithoutTheBody) {
  Serve();
  const std::string answer = AnswerToLast(
      "HEAD /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(Contains(answer, "Content-Length: 8\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(MetricsServerTest, HandsProbeTheQueryAndSendsItsAnswer) {
  ProbeQuery asked;
  handlers_.probe = [&asked](const ProbeQuery& query) {
    asked = query;
    return HttpAnswer{.status = 403, .body = "not allowed\n"};
  };
  Serve();
  const auto result =
      httplib::Client("127.0.0.1", port_)
          .Get("/probe?target=2001%3Adb8%3A%3A1&count=3",
               {{"x-prometheus-scrape-timeout-seconds", "9.5"}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 403);
  EXPECT_EQ(result->body, "not allowed\n");
  EXPECT_EQ(result->get_header_value("Content-Type"),
            "text/plain; charset=utf-8");
  EXPECT_EQ(asked.target, "2001:db8::1");
  EXPECT_EQ(asked.count, 3u);
  EXPECT_EQ(asked.scrape_timeout, std::chrono::milliseconds(9500));
  EXPECT_EQ(asked.client, IpAddress::V4({127, 0, 0, 1}));
}

TEST_F(MetricsServerTest, RefusesBadProbeQueryWithASentence) {
  handlers_.probe = [](const ProbeQuery&) -> HttpAnswer {
    ADD_FAILURE() << "probed";
    return {};
  };
  Serve();
  const auto missing = Get("/probe");
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->status, 400);
  EXPECT_EQ(missing->body, "Target parameter is missing\n");
  const auto repeated = Get("/probe?target=a&target=a");
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->status, 400);
  EXPECT_EQ(repeated->body, "Parameter target is given more than once\n");
}

TEST_F(MetricsServerTest, TellsWhetherItIsReady) {
  std::string reason;
  handlers_.not_ready_reason = [&reason] { return reason; };
  Serve();
  auto result = Get("/-/ready");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body, "Ready\n");

  reason = "no transport";
  result = Get("/-/ready");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 503);
  EXPECT_EQ(result->body, "Not ready: no transport\n");

  result = Get("/-/healthy");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body, "Healthy\n");
}

TEST_F(MetricsServerTest, ShowsTheConfiguration) {
  Serve();
  const auto result = Get("/config");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body, "[web]\n");
  EXPECT_EQ(result->get_header_value("Content-Type"),
            "text/plain; charset=utf-8");
}

TEST_F(MetricsServerTest, ServesALandingPageWithoutActiveContent) {
  handlers_.pair_count = [] { return std::size_t{1234}; };
  Serve();
  const auto result = Get("/");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->get_header_value("Content-Type"),
            "text/html; charset=utf-8");
  EXPECT_TRUE(Contains(result->get_header_value("Content-Security-Policy"),
                       "default-src 'none'"));
  EXPECT_TRUE(Contains(result->body, "1234")) << result->body;
  for (const char* link : {"/metrics", "/config", "/-/healthy", "/-/ready",
                           "/probe?target=127.0.0.1&amp;module=icmp"}) {
    EXPECT_TRUE(Contains(result->body, "href=\"" + std::string(link) + "\""))
        << result->body;
  }
}

TEST_F(MetricsServerTest, AnswersUnknownPathsWith404) {
  Serve();
  for (const char* path : {"/metric", "/metrics/", "//", "/%00", "/probe%3f"}) {
    const auto result = Get(path);
    ASSERT_TRUE(result) << path;
    EXPECT_EQ(result->status, 404) << path;
    EXPECT_FALSE(result->body.empty()) << path;
    EXPECT_EQ(result->get_header_value("X-Content-Type-Options"), "nosniff");
  }
}

TEST_F(MetricsServerTest, AnswersOtherMethodsWith405AndTheAllowedOnes) {
  Serve();
  for (const char* method :
       {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"}) {
    const std::string answer = AnswerToLast(std::string(method) +
                                            " /metrics HTTP/1.1\r\nHost: a\r\n"
                                            "Content-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
    EXPECT_TRUE(Contains(answer, "Allow: GET, HEAD\r\n")) << answer;
  }
}

TEST_F(MetricsServerTest, AnswersExceptionsWith500) {
  handlers_.probe = [](const ProbeQuery&) -> HttpAnswer {
    throw std::runtime_error("x");
  };
  handlers_.config = []() -> std::string { throw 1; };
  Serve();
  for (const char* path : {"/probe?target=a", "/config", "/probe?target=a"}) {
    const auto result = Get(path);
    ASSERT_TRUE(result) << path;
    EXPECT_EQ(result->status, 500);
    EXPECT_EQ(result->body, "Internal Server Error.\n");
  }
}

// The status is on its way by then, so the answer must not look complete.
TEST_F(MetricsServerTest, BreaksOffAnAnswerWhoseWritingFails) {
  handlers_.metrics = [](const TextSink& sink) {
    sink("a 1\n");
    throw std::runtime_error("x");
  };
  Serve();
  EXPECT_FALSE(Get("/metrics"));
  EXPECT_TRUE(Get("/-/healthy"));
}

TEST_F(MetricsServerTest, CompressesMetricsForThoseWhoAskForIt) {
  // Several pieces, each larger than the encoder's buffer when compressed.
  std::string text;
  std::minstd_rand random;
  while (text.size() < 1'000'000) text += static_cast<char>(random());
  handlers_.metrics = [&](const TextSink& sink) {
    const std::string_view all = text;
    sink(all.substr(0, 300'000));
    sink(all.substr(300'000));
  };
  Serve();
  httplib::Client client("127.0.0.1", port_);
  client.set_decompress(false);
  const auto plain = client.Get("/metrics");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->body, text);
  EXPECT_FALSE(plain->has_header("Content-Encoding"));
  const auto packed = client.Get("/metrics", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(packed->get_header_value("Vary"), "Accept-Encoding");
  EXPECT_EQ(Unzip(packed->body), text);
  // And once more on the same connection.
  const auto again = client.Get("/metrics", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(again);
  EXPECT_EQ(Unzip(again->body), text);
}

TEST_F(MetricsServerTest, SendsMetricsWithoutChunksToHttp10) {
  Serve();
  const std::string answer =
      AnswerToLast("GET /metrics HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\na 1\n")) << answer;
  EXPECT_FALSE(Contains(answer, "chunked")) << answer;
}

TEST_F(MetricsServerTest, SendsLongMetricsToHttp10AsTheyCome) {
  std::atomic<bool> taken = false;
  handlers_.metrics = [&taken](const TextSink& sink) {
    taken = sink("a 1\n");
    sink("b 2\n");
  };
  Serve();
  const std::string answer =
      AnswerToLast("GET /metrics HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\na 1\nb 2\n")) << answer;
  EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
  EXPECT_FALSE(Contains(answer, "Content-Length")) << answer;
  EXPECT_TRUE(taken);
}

TEST_F(MetricsServerTest, SendsAllToWhoAsksForAPart) {
  Serve();
  for (const char* range : {"bytes=0-0", "bytes=99-", "bytes=-1"}) {
    const std::string answer =
        AnswerToLast(std::string("GET /metrics HTTP/1.1\r\nConnection: close"
                                 "\r\nRange: ") +
                     range + "\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "a 1\n")) << answer;
  }
}

TEST_F(MetricsServerTest, RefusesWhatIsNotHttp) {
  Serve();
  for (const char* bytes :
       {"hello\r\n\r\n", "\r\n\r\n", "GET /metrics\r\n\r\n",
        "BREW /metrics HTTP/1.1\r\n\r\n", "GET /metrics HTTP/2.0\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n"}) {
    const std::string answer = AnswerToLast(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("The request is not valid HTTP/1.1.\n"))
        << answer;
  }
  EXPECT_TRUE(AnswersMetrics());
}

TEST_F(MetricsServerTest, RefusesOverlongAddressesAndHeads) {
  Serve();
  const std::string line = "GET /metrics HTTP/1.1\r\n";
  const std::string filler(20000, 'a');
  EXPECT_TRUE(AnswerToLast("GET /" + filler + " HTTP/1.1\r\n\r\n")
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

TEST_F(MetricsServerTest, AcceptsAHeadOfEightKilobytes) {
  Serve();
  const std::string head = "GET /metrics HTTP/1.1\r\nConnection: close\r\nX: ";
  EXPECT_TRUE(
      AnswerToLast(head + std::string(8192 - head.size() - 4, 'a') + "\r\n\r\n")
          .starts_with("HTTP/1.1 200 "));
}

TEST_F(MetricsServerTest, DoesNotWaitForAnAnnouncedBody) {
  Serve();
  const std::string answer = AnswerToLast(
      "GET /metrics HTTP/1.1\r\nContent-Length: 1000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 417 ")) << answer;
  EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
}

TEST_F(MetricsServerTest, ServesPipelinedRequestsInOrder) {
  Serve();
  const std::string answers = AnswerToLast(
      "GET /-/healthy HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"
      "GET /config HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto healthy = answers.find("Healthy\n");
  const auto metrics = answers.find("a 1\n");
  const auto config = answers.find("[web]\n");
  EXPECT_LT(healthy, metrics) << answers;
  EXPECT_LT(metrics, config) << answers;
  EXPECT_NE(config, std::string::npos) << answers;
}

TEST_F(MetricsServerTest, KeepsConnectionsOpenBetweenRequests) {
  Serve();
  RawHttpClient client(port_);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.Send("GET /metrics HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(Contains(client.ReadUntil("a 1\n"), "Keep-Alive: timeout=65"));
    EXPECT_FALSE(client.closed());
  }
}

TEST_F(MetricsServerTest, TakesNoRequestFromTheBodyOfAnother) {
  Serve();
  for (const char* framing :
       {"Content-Length: 34", "Transfer-Encoding: chunked"}) {
    const std::string answer =
        AnswerToLast("GET /-/healthy HTTP/1.1\r\n" + std::string(framing) +
                     "\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Healthy\n")) << answer;
  }
}

TEST_F(MetricsServerTest, RefusesRequestsWhoseLengthIsNotClear) {
  Serve();
  for (const char* framing :
       {"Content-Length: -1", "Content-Length: 1x",
        "Content-Length:", "Content-Length: 0\r\nContent-Length: 34",
        "Content-Length: 0\r\nTransfer-Encoding: chunked"}) {
    const std::string answer =
        AnswerToLast("GET /metrics HTTP/1.1\r\n" + std::string(framing) +
                     "\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << framing << answer;
    EXPECT_TRUE(answer.ends_with("The request is not valid HTTP/1.1.\n"))
        << framing << answer;
  }
}

TEST_F(MetricsServerTest, CountsEveryAnswerOnceUnderItsHandler) {
  handlers_.not_ready_reason = [] { return std::string("starting"); };
  Serve();
  for (const char* path :
       {"/", "/metrics", "/metrics?a=b", "/probe", "/probe?target=a",
        "/-/healthy", "/-/ready", "/config", "/secret\n", "/favicon.ico"}) {
    ASSERT_TRUE(Get(path)) << path;
  }
  httplib::Client("127.0.0.1", port_).Post("/metrics");
  AnswerToLast("nonsense\r\n\r\n");
  AnswerToLast("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n");

  EXPECT_EQ(WaitForCounts(13), (std::vector<Count>{{"/", 200},
                                                   {"/-/healthy", 200},
                                                   {"/-/ready", 503},
                                                   {"/config", 200},
                                                   {"/metrics", 200},
                                                   {"/metrics", 200},
                                                   {"/metrics", 405},
                                                   {"/probe", 200},
                                                   {"/probe", 400},
                                                   {"other", 400},
                                                   {"other", 404},
                                                   {"other", 404},
                                                   {"other", 414}}));
}

}  // namespace
}  // namespace echo_exporter
