#include "src/web/status_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "src/web/static_files.h"
#include "tests/support/manual_clock.h"
#include "tests/web/pair_views.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHostile = "<script>\"'&\u202ex\xFF";

class StatusPagesTest : public testing::Test {
 protected:
  StatusPagesTest() {
    config_->modules["icmp"] = {};
    config_->groups.emplace_back().name = "g";
  }

  HttpResponse Respond(
      HttpResponse (StatusPages::*handler)(const HttpRequest&),
      const std::string& query = "",
      const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    // Equal requests have equal paths.
    const std::string path = handler == &StatusPages::Page     ? "/"
                             : handler == &StatusPages::Status ? "/status"
                                                               : "/other";
    HttpResponse response = (pages_.*handler)(
        {.method = "GET", .path = path, .query = query, .headers = headers});
    if (response.write_body) {
      response.write_body([&response](std::string_view piece) {
        response.body += piece;
        return true;
      });
    }
    return response;
  }

  static std::string HeaderOf(const HttpResponse& response,
                              const std::string& name) {
    for (const auto& [known, value] : response.headers) {
      if (known == name) return value;
    }
    return "";
  }

  ManualClock clock_{SteadyTime(seconds(1000))};
  FakePairHistory history_;
  std::shared_ptr<ExporterConfig> config_ = std::make_shared<ExporterConfig>();
  std::vector<std::string> probed_;
  StatusPages pages_{StatusContent{
      .clock = &clock_,
      .history = &history_,
      .config = [this] { return config_; },
      .timeout_of =
          [](const PairLabels& labels) {
            return labels.group == "g" ? std::optional<Nanoseconds>(seconds(1))
                                       : std::nullopt;
          },
      .probe_pair =
          [this](const HttpRequest&, const PairLabels& labels) {
            probed_.push_back(labels.destination);
            return HttpResponse::Text(429, "Too many");
          }}};
};

TEST_F(StatusPagesTest, ShowsTheStatus) {
  history_.views = {MakeView("g", "s", "1", PairState::kDown),
                    MakeView("g", "s", "2", PairState::kDown)};
  const HttpResponse response = Respond(&StatusPages::Status);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_THAT(response.body,
              HasSubstr("\"time\":\"1970-01-01T00:00:00.000Z\","));
  EXPECT_THAT(
      response.body,
      HasSubstr(
          "\"counts\":{\"up\":0,\"lossy\":0,\"down\":2,\"unresolved\":0},"
          "\"lossy_threshold\":0.01,\"allow_actions\":true,\"groups\":[{"
          "\"name\":\"g\",\"up\":0,\"lossy\":0,\"down\":2,\"unresolved\":0}],"
          "\"verdicts\":[{\"kind\":\"source\",\"name\":\"s\",\"text\":\"Every "
          "pair from source s fails\",\"since\":\"1970-01-01T00:00:00.000Z\","
          "\"pairs\":2}],\"history\":{\"fine_step\":10,\"fine_seconds\":3600,"
          "\"coarse_step\":300,\"coarse_seconds\":86400,\"shortened\":false,"
          "\"note\":null,\"memory_bytes\":67108864,\"used_bytes\":1234}}"));
}

TEST_F(StatusPagesTest, ListsPairs) {
  PairView view = MakeView("g", "s", kHostile, PairState::kLossy);
  view.status.labels = std::make_shared<const PairLabels>(
      PairLabels{"g", "s", kHostile, {{"site", "fra"}}});
  view.status.statistics.last_outcome = EchoOutcome::kTimeout;
  view.status.statistics.consecutive_failures = 1;
  view.loss_10m = 1.0 / 30;
  view.rtt_median = 0.0089412;
  history_.views = {view, MakeView("g", "s", "up")};
  history_.hour.back() = {.sent = 10, .lost = 1, .median = 0.02};
  history_.hour[0] = {.sent = 10, .lost = 10};
  EXPECT_EQ(
      Respond(&StatusPages::Pairs, "limit=1").body,
      "{\"pairs\":[{\"group\":\"g\",\"source\":\"s\",\"destination\":"
      "\"<script>\\\"'&\\u202ex\uFFFD\",\"labels\":{\"site\":\"fra\"},"
      "\"source_address\":null,\"destination_address\":\"192.0.2.77\","
      "\"state\":\"lossy\",\"state_since\":\"1970-01-01T00:00:00.000Z\","
      "\"last_outcome\":\"timeout\",\"consecutive_failures\":1,"
      "\"loss_1m\":null,\"loss_10m\":0.0333,\"loss_1h\":null,"
      "\"rtt_median_seconds\":0.00894,\"rtt_p99_seconds\":null,\"spark\":{"
      "\"max\":0.02,\"rtt\":\"" +
          std::string(59, ' ') + "_\",\"lost\":\"9" + std::string(58, ' ') +
          "1\"}}],\"total\":2,\"next\":\"1\"}");
  EXPECT_THAT(Respond(&StatusPages::Pairs, "limit=1&after=1").body,
              testing::EndsWith("\"total\":2,\"next\":null}"));
  EXPECT_THAT(Respond(&StatusPages::Pairs, "after=5").body,
              testing::StartsWith("{\"pairs\":[],"));
}

TEST_F(StatusPagesTest, ShowsAPairWithItsHistory) {
  history_.views = {MakeView("g", "s", "d", PairState::kDown)};
  history_.views[0].status.interval = milliseconds(250);
  history_.views[0].status.statistics.reply_ttl = 57;
  history_.views[0].status.statistics.consecutive_failures = 9;
  history_.record.fine = {
      .begin = WallTime(seconds(70)),
      .step = seconds(10),
      .cells = {
          {.sent = 2, .lost = 1, .min = 0.01234, .median = 0.02, .p99 = 0.03},
          {}}};
  history_.record.outages = {
      {.begin = WallTime(seconds(60)), .losses = 3},
      {.begin = WallTime(seconds(5)), .length = seconds(4), .losses = 4}};
  history_.record.failures = {
      {WallTime(seconds(61)), EchoOutcome::kTtlExpired,
       IpAddress::Parse("192.0.2.254")},
      {WallTime(seconds(60)), EchoOutcome::kTimeout, std::nullopt}};
  const std::string body =
      Respond(&StatusPages::Pair, "group=g&source=s&destination=d").body;
  EXPECT_THAT(body, testing::StartsWith("{\"group\":\"g\",\"source\":\"s\","));
  EXPECT_THAT(
      body,
      HasSubstr(
          "\"interval_seconds\":0.25,\"timeout_seconds\":1,\"ttl\":57,"
          "\"outages\":[{\"start\":\"1970-01-01T00:01:00.000Z\",\"end\":null,"
          "\"lost\":9,\"outcome\":\"other\"},{\"start\":\"1970-01-01T00:00:05."
          "000Z\",\"end\":\"1970-01-01T00:00:09.000Z\",\"lost\":4,\"outcome\":"
          "\"other\"}],\"failures\":[{\"time\":\"1970-01-01T00:01:01.000Z\","
          "\"outcome\":\"ttl_expired\",\"responder\":\"192.0.2.254\"},"
          "{\"time\":\"1970-01-01T00:01:00.000Z\",\"outcome\":\"timeout\","
          "\"responder\":null}],\"history\":{\"fine\":{\"start\":70,\"step\":"
          "10,\"sent\":[2,0],\"lost\":[1,0],\"min\":[0.01234,null],"
          "\"median\":[0.02,null],\"p99\":[0.03,null]},\"coarse\":{"));
}

TEST_F(StatusPagesTest, ErrorsAreJson) {
  const auto expect = [this](auto handler, const std::string& query, int status,
                             const std::string& sentence) {
    const HttpResponse response = Respond(handler, query);
    EXPECT_EQ(response.status, status) << query;
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.body, "{\"error\":\"" + sentence + "\"}");
  };
  expect(&StatusPages::Pair, "group=g&source=s&destination=d", 404,
         "There is no such pair of group, source and destination.");
  expect(&StatusPages::Pair, "group=g", 400,
         "The parameters group, source and destination are needed.");
  expect(&StatusPages::Pairs, "sort=%22", 400,
         "Parameter sort cannot be \\\"\\\"\\\".");
}

TEST_F(StatusPagesTest, TheMatrixHasARowForEachDestinationOfAGroup) {
  history_.views = {
      MakeView("g", "a", "x"), MakeView("g", "b", "x", PairState::kDown),
      MakeView("g", "a", "y", PairState::kUnresolved), MakeView("h", "b", "y")};
  history_.views[0].loss_10m = 0;
  history_.views[0].rtt_median = 0.0412;
  history_.views[0].rtt_usual = 0.0206;
  EXPECT_EQ(
      Respond(&StatusPages::Matrix).body,
      R"({"sources":["a","b"],"rows":[)"
      R"({"group":"g","destination":"x","address":"192.0.2.77",)"
      R"("address_label":null,"cells":[[0,0,41.2,2],[2,null,null,null]]},)"
      R"({"group":"g","destination":"y","address":null,)"
      R"("address_label":null,"cells":[[3,null,null,null],null]},)"
      R"({"group":"h","destination":"y","address":"192.0.2.77",)"
      R"("address_label":null,"cells":[null,[0,null,null,null]]}],)"
      R"("total":3,"next":null})");
  EXPECT_EQ(Respond(&StatusPages::Matrix, "by=group").body,
            R"({"sources":["a","b"],"rows":[)"
            R"({"group":"g","cells":[[3,null,41.2,2,2,1],)"
            R"([2,null,null,null,1,1]]},)"
            R"({"group":"h","cells":[null,[0,null,null,null,1,0]]}],)"
            R"("total":2,"next":null})");
  EXPECT_THAT(Respond(&StatusPages::Matrix, "state=down").body,
              HasSubstr("\"total\":1,"));
  EXPECT_THAT(Respond(&StatusPages::Matrix, "group=h").body,
              testing::StartsWith("{\"sources\":[\"b\"],"));
  EXPECT_THAT(Respond(&StatusPages::Matrix, "limit=2").body,
              HasSubstr("\"next\":\"2\""));
}

TEST_F(StatusPagesTest, AddressesOfOneNameAreRowsOfTheirOwn) {
  for (const char* const address : {"192.0.2.1", "192.0.2.2"}) {
    history_.views.push_back(MakeView("g", "s", "d"));
    history_.views.back().status.labels = std::make_shared<const PairLabels>(
        PairLabels{"g", "s", "d", {{"address", address}}});
  }
  const std::string body = Respond(&StatusPages::Matrix).body;
  EXPECT_THAT(body, HasSubstr("\"address_label\":\"192.0.2.2\""));
  EXPECT_THAT(body, HasSubstr("\"total\":2,"));
  EXPECT_THAT(Respond(&StatusPages::Pair,
                      "group=g&source=s&destination=d&address=192.0.2.2")
                  .body,
              HasSubstr("\"labels\":{\"address\":\"192.0.2.2\"}"));
}

TEST_F(StatusPagesTest, LooksAtMostEveryTwoSecondsWhoeverAsks) {
  history_.views = {MakeView("g", "s", "d")};
  for (int i = 0; i < 3; ++i) {
    Respond(&StatusPages::Status);
    Respond(&StatusPages::Pairs, std::to_string(i));
    Respond(&StatusPages::Page);
  }
  EXPECT_EQ(history_.looks, 1);
  clock_.Advance(milliseconds(1999));
  Respond(&StatusPages::Pairs);
  EXPECT_EQ(history_.looks, 1);
  clock_.Advance(milliseconds(1));
  Respond(&StatusPages::Pairs);
  EXPECT_EQ(history_.looks, 2);
}

TEST_F(StatusPagesTest, AnUnchangedAnswerIsNotSentAgain) {
  history_.views = {MakeView("g", "s", "d")};
  const HttpResponse first = Respond(&StatusPages::Pairs);
  const std::string tag = HeaderOf(first, "ETag");
  EXPECT_THAT(tag, testing::StartsWith("W/\""));
  EXPECT_EQ(HeaderOf(first, "Cache-Control"), "no-cache");
  clock_.Advance(seconds(5));
  for (const std::string& known :
       {tag, "\"x\", " + tag, std::string("*"), tag.substr(2)}) {
    const HttpResponse again =
        Respond(&StatusPages::Pairs, "", {{"if-none-match", known}});
    EXPECT_EQ(again.status, 304) << known;
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(HeaderOf(again, "ETag"), tag);
  }
  history_.views[0].loss_1m = 0.5;
  clock_.Advance(seconds(5));
  EXPECT_EQ(Respond(&StatusPages::Pairs, "", {{"if-none-match", tag}}).status,
            200);
}

TEST_F(StatusPagesTest, ThePageIsCompleteWithoutItsScript) {
  history_.views = {MakeView("g", "wan2", "core", PairState::kDown),
                    MakeView("g", "wan2", "edge", PairState::kDown),
                    MakeView("g", "wan1", "edge")};
  history_.views[0].status.statistics.last_outcome =
      EchoOutcome::kHostUnreachable;
  history_.views[2].rtt_median = 0.00894;
  history_.views[2].loss_10m = 0.0123;
  history_.hour.back() = {.sent = 10, .lost = 2, .median = 0.02};
  const HttpResponse response = Respond(&StatusPages::Page, "view=pairs");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(
      HeaderOf(response, "Content-Security-Policy"),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
      "'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
      "frame-ancestors 'none'");
  for (const std::string& part : std::vector<std::string>{
           "<link rel=\"stylesheet\" href=\"static/" +
               std::string(StyleName()) + "\">",
           "<script src=\"static/" + std::string(ScriptName()) +
               "\" defer></script>",
           "<div class=\"count down\"><b>2</b> <span>down</span></div>",
           "<b>Every pair from source wan2 fails</b>", "href=\"metrics\"",
           "href=\"config\"", "href=\"api/v1/status\"", "href=\"-/healthy\"",
           "href=\"-/ready\"",
           "<span class=\"narrow\">from <bdi>wan1</bdi></span>",
           "action=\"probe\"", "<option>icmp</option>", "host unreachable",
           "8.94 ms", "1.2 %", "Showing 3 of 3 pairs.",
           "class=\"median\" fill=\"none\" d=\"M118,2.36\"",
           "class=\"loss\" d=\"M118,29v-4\""}) {
    EXPECT_THAT(response.body, HasSubstr(part));
  }
  EXPECT_LT(response.body.find("<bdi>core</bdi>"),
            response.body.find("<bdi>wan1</bdi>"));
  EXPECT_THAT(Respond(&StatusPages::Page, "q=core&x=%").body,
              HasSubstr("Showing 3 of 3"));
  EXPECT_THAT(Respond(&StatusPages::Page, "q=core").body,
              HasSubstr("Showing 1 of 1 pairs."));
}

TEST_F(StatusPagesTest, HostileNamesAreTextOnThePage) {
  history_.views = {MakeView(kHostile, kHostile, kHostile, PairState::kDown),
                    MakeView(kHostile, kHostile, "d", PairState::kDown)};
  config_->modules[kHostile] = {};
  const std::string body = Respond(&StatusPages::Page).body;
  EXPECT_THAT(body, Not(HasSubstr("<script>")));
  EXPECT_THAT(body, Not(HasSubstr("\u202e")));
  EXPECT_THAT(body, Not(HasSubstr("\xFF")));
  EXPECT_THAT(body, HasSubstr("<bdi>&#60;script&#62;&#34;&#39;&#38;\u27e8U+"
                              "202E\u27e9x\uFFFD</bdi>"));
}

TEST_F(StatusPagesTest, SaysThatTheHistoryIsShortened) {
  EXPECT_THAT(Respond(&StatusPages::Page).body, Not(HasSubstr("shortened")));
  history_.extent = {std::chrono::minutes(12), std::chrono::hours(3)};
  clock_.Advance(seconds(2));
  EXPECT_THAT(Respond(&StatusPages::Page).body,
              HasSubstr("shortened to 12 min in steps of 10 s and 180 min"));
  EXPECT_THAT(Respond(&StatusPages::Status).body,
              HasSubstr("\"shortened\":true,\"note\":\"The history is "
                        "shortened to 12 min"));
}

TEST_F(StatusPagesTest, SaysWhyThereIsNoHistory) {
  config_->history_memory = 0;
  history_.extent = {};
  const std::string page = Respond(&StatusPages::Page).body;
  EXPECT_THAT(page, HasSubstr("<p class=\"notice\">No history is kept "
                              "([history] memory = &#34;0&#34;): "));
  EXPECT_THAT(page, Not(HasSubstr("shortened")));
  EXPECT_THAT(Respond(&StatusPages::Status).body,
              HasSubstr("\"note\":\"No history is kept"));
}

TEST_F(StatusPagesTest, OffersNoProbesThatAreNotAllowed) {
  EXPECT_THAT(Respond(&StatusPages::Page).body, HasSubstr("<form "));
  config_->probe.enabled = false;
  clock_.Advance(seconds(2));
  EXPECT_THAT(Respond(&StatusPages::Page).body, Not(HasSubstr("<form ")));
  EXPECT_THAT(Respond(&StatusPages::Status).body,
              HasSubstr("\"allow_actions\":false"));
}

TEST_F(StatusPagesTest, APairThatHasJustEndedHasNoTimeout) {
  history_.views = {MakeView("ended", "s", "d")};
  EXPECT_THAT(
      Respond(&StatusPages::Pair, "group=ended&source=s&destination=d").body,
      HasSubstr("\"timeout_seconds\":null,"));
}

TEST_F(StatusPagesTest, AProbeNowIsForThePageOnly) {
  history_.views = {MakeView("g", "s", "d")};
  const std::string pair = "group=g&source=s&destination=d";
  const auto status = [&](const std::string& query, auto... headers) {
    return Respond(&StatusPages::Probe, query, {headers...}).status;
  };
  using Header = std::pair<std::string, std::string>;
  const Header page("X-Echo-Exporter", "page");
  EXPECT_EQ(status(pair), 403);
  EXPECT_EQ(status(pair, page, Header("sec-fetch-site", "cross-site")), 403);
  EXPECT_EQ(status(pair, page, Header("sec-fetch-site", "same-site")), 403);
  EXPECT_EQ(status("group=g&source=s&destination=x", page), 404);
  EXPECT_THAT(probed_, testing::IsEmpty());
  const HttpResponse response = Respond(&StatusPages::Probe, pair, {page});
  EXPECT_THAT(probed_, testing::ElementsAre("d"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.body, "{\"error\":\"Too many\"}");
  EXPECT_EQ(status(pair, page, Header("sec-fetch-site", "same-origin")), 429);

  config_->allow_actions = false;
  EXPECT_EQ(status(pair, page), 403);
  EXPECT_EQ(probed_.size(), 2U);
}

}  // namespace
}  // namespace echo_exporter
