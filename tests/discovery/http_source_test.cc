#include "src/discovery/http_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tests/discovery/list_services.h"

namespace echo_exporter {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class HttpSourceTest : public ListSourceFixture {
 protected:
  static Result<HttpAnswer> Json(const std::string& body,
                                 const std::string& etag = "") {
    return HttpAnswer{.status = 200,
                      .content_type = "application/json; charset=utf-8",
                      .etag = etag,
                      .body = body};
  }

  static HttpDiscoveryConfig ConfigOf(const std::string& url,
                                      Nanoseconds interval = seconds(60)) {
    HttpDiscoveryConfig config;
    config.url = url;
    config.refresh_interval = interval;
    return config;
  }

  void Make(const HttpDiscoveryConfig& config = ConfigOf("http://cmdb/t")) {
    source_.reset();  // what it has is stored, and not handed on
    source_ = std::make_shared<HttpSource>(services_, means_, config);
  }

  /// Looks again and again until the server was asked another `times` times.
  void Ask(std::size_t times = 1) {
    const std::size_t wanted = requests_.size() + times;
    while (requests_.size() < wanted) {
      const SteadyTime next = source_->Look(clock_.Now());
      if (requests_.size() == wanted) return;
      if (next != SteadyTime::max() && next > clock_.Now()) {
        clock_.Advance(next - clock_.Now());
      }
    }
  }

  /// How long after the last request the next one is sent.
  Nanoseconds TimeToNext() {
    const SteadyTime before = clock_.Now();
    Ask();
    return clock_.Now() - before;
  }

  static std::string Header(const HttpGet& request, const std::string& name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return "none";
  }

  std::vector<HttpGet> requests_;
  Result<HttpAnswer> answer_ = Json("[]");
  bool has_thread_ = true;
  bool has_memory_ = true;
  HttpSource::Means means_{.fetch =
                               [this](const HttpGet& request) {
                                 requests_.push_back(request);
                                 if (!has_memory_) throw std::bad_alloc();
                                 return answer_;
                               },
                           .run =
                               [this](const std::function<void()>& call) {
                                 if (has_thread_) call();
                                 return has_thread_;
                               },
                           .wake = [] {},
                           .hostname = "me"};
  std::shared_ptr<HttpSource> source_;
};

TEST_F(HttpSourceTest, AsksAsPrometheusDoes) {
  HttpDiscoveryConfig config = ConfigOf("https://cmdb/t?a=me", seconds(30));
  config.ca_file = "ca.pem";
  config.server_name = "cmdb.example";
  config.proxy_url = "http://proxy:3128";
  Make(config);
  answer_ = Json(ListOf("a"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  const HttpGet& request = requests_.at(0);
  EXPECT_EQ(request.url, "https://cmdb/t?a=me");
  EXPECT_EQ(request.ca_file, "ca.pem");
  EXPECT_EQ(request.server_name, "cmdb.example");
  EXPECT_EQ(request.proxy_url, "http://proxy:3128");
  EXPECT_EQ(request.timeout, seconds(30));
  EXPECT_EQ(request.max_bytes, std::size_t{64} << 20);
  EXPECT_THAT(Header(request, "User-Agent"),
              testing::StartsWith("echo_exporter/"));
  EXPECT_EQ(Header(request, "Accept"), "application/json");
  EXPECT_EQ(Header(request, "X-Prometheus-Refresh-Interval-Seconds"), "30");
  EXPECT_EQ(Header(request, "Authorization"), "none");
  EXPECT_EQ(Header(request, "If-None-Match"), "none");
}

TEST_F(HttpSourceTest, EveryFailureKeepsTheLastGoodTargets) {
  Make();
  answer_ = Json(ListOf("a"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  std::uint64_t failures = 0;
  const auto with = [](int status, const std::string& type) {
    HttpAnswer answer = Json(ListOf("b")).value();
    answer.status = status;
    answer.content_type = type;
    return Result<HttpAnswer>(answer);
  };
  for (const Result<HttpAnswer>& answer :
       {Result<HttpAnswer>(Error{ErrorCode::kUnavailable, "timed out"}),
        with(500, "application/json"), with(204, "application/json"),
        with(304, "application/json"), with(404, "text/html"),
        with(200, "text/html"), with(200, ""),
        with(200, "application/json; charset=latin1"), Json(""), Json("null"),
        Json("[{\"targets\": [\"b\"]"), Json("[{\"targets\": []}]"),
        Json("[{\"targets\": [\"b:80\"]}]")}) {
    answer_ = answer;
    Ask();
    EXPECT_THAT(Use(*source_), ElementsAre("a"));
    EXPECT_EQ(Failures(*source_), ++failures);
  }
  answer_ = Json(ListOf("c"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("c"));
  answer_ = Json("[]");
  Ask();
  EXPECT_THAT(Use(*source_), IsEmpty());
  EXPECT_EQ(Failures(*source_), failures);
}

TEST_F(HttpSourceTest, TakesTheContentTypesThatPrometheusTakes) {
  for (const char* type : {"application/json", "Application/JSON;charset=UTF-8",
                           "application/json; charset=\"utf-8\"",
                           "application/json;  charset=utf-8"}) {
    Make();
    answer_ = HttpAnswer{
        .status = 200, .content_type = type, .etag = "", .body = ListOf("a")};
    Ask();
    EXPECT_THAT(Use(*source_), ElementsAre("a")) << type;
    EXPECT_EQ(Failures(*source_), 0U) << type;
  }
}

TEST_F(HttpSourceTest, AsksOnlyForWhatHasChanged) {
  Make();
  answer_ = Json(ListOf("a"), "\"1\"");
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  answer_ =
      HttpAnswer{.status = 304, .content_type = "", .etag = "", .body = ""};
  Ask();
  EXPECT_EQ(Header(requests_.back(), "If-None-Match"), "\"1\"");
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  EXPECT_EQ(Failures(*source_), 0U);
  answer_ = Json(ListOf("b"));
  Ask(2);
  EXPECT_EQ(Header(requests_.back(), "If-None-Match"), "none");
  EXPECT_THAT(Use(*source_), ElementsAre("b"));
}

TEST_F(HttpSourceTest, ARestartBeginsWithTheStoredListAndItsTag) {
  Make();
  answer_ = Json(ListOf("a"), "\"1\"");
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  Make();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  answer_ = Error{ErrorCode::kUnavailable, "connection refused"};
  Ask();
  EXPECT_EQ(Header(requests_.back(), "If-None-Match"), "\"1\"");
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
}

TEST_F(HttpSourceTest, AWallClockThatIsSetChangesNoSchedule) {
  Make();
  answer_ = Json(ListOf("a"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
  for (const auto hours : {24 * 365 * 10, -24 * 365 * 10, 1}) {
    const WallTime wall(std::chrono::hours(500'000 + hours));
    clock_.SetWall(wall);
    const Nanoseconds wait = TimeToNext();
    EXPECT_GE(wait, seconds(57)) << hours;
    EXPECT_LE(wait, seconds(63)) << hours;
    EXPECT_EQ(source_->Lists().at(0)->facts().last_success, wall);
  }
  EXPECT_EQ(Failures(*source_), 0U);
}

TEST_F(HttpSourceTest, AgentsAskAtDifferentTimes) {
  std::vector<Nanoseconds> firsts;
  for (int i = 0; i < 200; ++i) {
    means_.hostname = "host" + std::to_string(i);
    Make();
    firsts.push_back(TimeToNext());
    EXPECT_LE(firsts.back(), seconds(6));
    const Nanoseconds interval = TimeToNext();
    EXPECT_GE(interval, seconds(57));
    EXPECT_LE(interval, seconds(63));
  }
  std::ranges::sort(firsts);
  EXPECT_LT(firsts[50], seconds(3));
  EXPECT_GT(firsts[150], seconds(3));
}

TEST_F(HttpSourceTest, AsksAgainSoonAfterAFailureThenEverLater) {
  Make(ConfigOf("http://cmdb/", std::chrono::hours(24)));
  answer_ = Error{ErrorCode::kUnavailable, "down"};
  Ask();
  for (const int after : {5, 10, 20, 40, 80, 160, 320, 600, 600, 600}) {
    const Nanoseconds wait = TimeToNext();
    EXPECT_GE(wait, Nanoseconds(seconds(after)) * 94 / 100) << after;
    EXPECT_LE(wait, Nanoseconds(seconds(after)) * 106 / 100) << after;
  }
  answer_ = Json("[]");
  Ask();
  EXPECT_GT(TimeToNext(), std::chrono::hours(20));
  // A short interval is not kept up either.
  Make(ConfigOf("http://cmdb/2", seconds(5)));
  answer_ = Error{ErrorCode::kUnavailable, "down"};
  Ask(10);
  EXPECT_GT(TimeToNext(), seconds(55));
  EXPECT_LT(TimeToNext(), seconds(65));
}

TEST_F(HttpSourceTest, WithoutAThreadItIsAFailedRefresh) {
  Make();
  has_thread_ = false;
  source_->Look(clock_.Now());
  clock_.Advance(seconds(6));
  source_->Look(clock_.Now());
  EXPECT_EQ(Failures(*source_), 1U);
  has_thread_ = true;
  answer_ = Json(ListOf("a"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
}

TEST_F(HttpSourceTest, WithoutMemoryItIsAFailedRefresh) {
  Make();
  has_memory_ = false;
  Ask();
  EXPECT_EQ(Failures(*source_), 1U);
  EXPECT_LE(TimeToNext(), seconds(6));
  has_memory_ = true;
  answer_ = Json(ListOf("a"));
  Ask();
  EXPECT_THAT(Use(*source_), ElementsAre("a"));
}

TEST_F(HttpSourceTest, ReadsSecretsFromTheirFilesForEachRequest) {
  HttpDiscoveryConfig config = ConfigOf("http://cmdb/");
  config.bearer_token_file = folder_.Write("token", "first\r\n");
  Make(config);
  Ask();
  EXPECT_EQ(Header(requests_.back(), "Authorization"), "Bearer first");
  folder_.Write("token", "second");
  Ask();
  EXPECT_EQ(Header(requests_.back(), "Authorization"), "Bearer second");
  // Nothing is sent without it, or with a header of somebody else's making.
  for (const char* const text : {"", "\n", "a\r\nX: y"}) {
    folder_.Write("token", text);
    const std::size_t before = requests_.size();
    clock_.Advance(minutes(2));
    source_->Look(clock_.Now());
    EXPECT_EQ(requests_.size(), before);
  }
  EXPECT_EQ(Failures(*source_), 3U);
  // RFC 7617 section 2.
  config = ConfigOf("http://cmdb/");
  config.username = "Aladdin";
  config.password_file = folder_.Write("password", "open sesame");
  Make(config);
  Ask();
  EXPECT_EQ(Header(requests_.back(), "Authorization"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  for (const auto& [user, text] : std::map<std::string, std::string>{
           {"a", "YTpi"}, {"ab", "YWI6Yg=="}, {"abc", "YWJjOmI="}}) {
    config.username = user;
    folder_.Write("password", "b");
    Make(config);
    Ask();
    EXPECT_EQ(Header(requests_.back(), "Authorization"), "Basic " + text);
  }
}

}  // namespace
}  // namespace echo_exporter
