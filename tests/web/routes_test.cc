#include "src/web/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/web/static_files.h"
#include "tests/web/pair_views.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    content_.metrics = [](const MetricsQuery& query, const TextSink& sink) {
      sink(query.format == MetricsFormat::kProtobuf ? "protobuf"
           : query.groups                           ? "group\n"
                                                    : "a 1\n");
    };
    content_.metrics_memory = [](const MetricsQuery& query) {
      return std::size_t{query.format == MetricsFormat::kText ? 77U : 78U};
    };
    content_.config = [this] { return config_; };
    content_.not_ready_reason = [] { return std::string(); };
    content_.probe = [](const HttpRequest& request) {
      return HttpResponse{.status = 403, .body = request.query};
    };
    content_.reload = [] { return HttpResponse::Text(500, "no"); };
    content_.status = {
        .clock = &Clock::System(), .history = &history_, .config = [] {
          ExporterConfig config;
          config.groups.emplace_back().name = "g";
          return std::make_shared<const ExporterConfig>(config);
        }};
  }

  HttpResponse Respond(const std::string& path, const std::string& query = "",
                       const WebPlace& place = {},
                       const std::vector<std::string>& accept = {}) {
    const std::vector<HttpRoute> routes = MakeRoutes(content_, place);
    const auto route = std::ranges::find(routes, path, &HttpRoute::path);
    if (route == routes.end()) {
      ADD_FAILURE() << "no route " << path;
      return {};
    }
    HttpRequest request{
        .method = route->methods.at(0), .path = path, .query = query};
    for (const std::string& value : accept) {
      request.headers.emplace_back("accept", value);
    }
    return route->handler(request);
  }

  static std::string BodyOf(const HttpResponse& response) {
    std::string text;
    response.write_body([&text](std::string_view piece) {
      text += piece;
      return true;
    });
    return text;
  }

  FakePairHistory history_;
  std::shared_ptr<const std::string> config_ =
      std::make_shared<const std::string>("[web]\n");
  WebContent content_;
};

TEST_F(RoutesTest, HasAPlaceForEachPage) {
  std::vector<std::pair<std::string, std::string>> places;
  for (const HttpRoute& route : MakeRoutes(content_)) {
    for (const std::string& method : route.methods) {
      if (method != "HEAD") places.emplace_back(method, route.path);
    }
  }
  using Place = std::pair<std::string, std::string>;
  EXPECT_THAT(
      places,
      UnorderedElementsAre(
          Place("GET", "/"), Place("GET", "/-/healthy"),
          Place("GET", "/-/ready"), Place("POST", "/-/reload"),
          Place("GET", "/config"), Place("GET", "/metrics"),
          Place("GET", "/probe"), Place("GET", "/api/v1/status"),
          Place("GET", "/api/v1/pairs"), Place("GET", "/api/v1/pair"),
          Place("GET", "/api/v1/matrix"), Place("POST", "/api/v1/probe"),
          Place("GET", "/static/" + std::string(ScriptName())),
          Place("GET", "/static/" + std::string(StyleName()))));
}

TEST_F(RoutesTest, WritesMetricsInTheTextFormat) {
  const HttpResponse response = Respond("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.held_bytes, 77U);
  EXPECT_EQ(BodyOf(response), "a 1\n");
}

TEST_F(RoutesTest, WritesMetricsInTheFormatThatIsPreferred) {
  const std::string protobuf =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
      "encoding=delimited";
  // Headers with the same name are one list.
  for (const std::vector<std::string>& accept :
       {std::vector<std::string>{protobuf + ",text/plain;q=0.5"},
        std::vector<std::string>{"text/plain;q=0.5", protobuf}}) {
    const HttpResponse response = Respond("/metrics", "", {}, accept);
    EXPECT_EQ(response.content_type,
              "application/vnd.google.protobuf; "
              "proto=io.prometheus.client.MetricFamily; encoding=delimited");
    EXPECT_EQ(response.held_bytes, 78U);
    EXPECT_EQ(BodyOf(response), "protobuf");
    EXPECT_THAT(response.headers, ElementsAre(testing::Pair("Vary", "Accept")));
  }
  const HttpResponse text = Respond("/metrics", "", {}, {"*/*"});
  EXPECT_EQ(BodyOf(text), "a 1\n");
  EXPECT_THAT(text.headers, ElementsAre(testing::Pair("Vary", "Accept")));
}

TEST_F(RoutesTest, WritesPartsOfTheMetrics) {
  EXPECT_EQ(BodyOf(Respond("/metrics", "group=g")), "group\n");
  for (const char* const query : {"name=a", "a", "group=h", "collect[]=x"}) {
    const HttpResponse response = Respond("/metrics", query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(response.body, testing::EndsWith(".\n"));
  }
}

TEST_F(RoutesTest, TellsWhetherItIsReady) {
  EXPECT_EQ(Respond("/-/ready").status, 200);
  EXPECT_EQ(Respond("/-/ready").body, "Ready\n");
  content_.not_ready_reason = [] { return std::string("no transport"); };
  EXPECT_EQ(Respond("/-/ready").status, 503);
  EXPECT_EQ(Respond("/-/ready").body, "Not ready: no transport\n");
  EXPECT_EQ(Respond("/-/healthy").status, 200);
  EXPECT_EQ(Respond("/-/healthy").body, "Healthy\n");
}

TEST_F(RoutesTest, ShowsTheConfiguration) {
  const HttpResponse response = Respond("/config");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(BodyOf(response), "[web]\n");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
}

TEST_F(RoutesTest, HoldsOneConfigurationForAllRequests) {
  config_ = std::make_shared<const std::string>(100'000, 'a');
  const HttpResponse first = Respond("/config");
  const HttpResponse second = Respond("/config");
  EXPECT_TRUE(first.body.empty());
  EXPECT_EQ(config_.use_count(), 3);
  EXPECT_EQ(BodyOf(first), *config_);
  std::size_t largest = 0;
  second.write_body([&largest](std::string_view piece) {
    largest = std::max(largest, piece.size());
    return true;
  });
  EXPECT_LE(largest, 16384U);  // of which the server holds a copy
}

TEST_F(RoutesTest, HasAllPagesBelowThePrefix) {
  const WebPlace place{.route_prefix = "/a/echo", .external_url = ""};
  for (const HttpRoute& route : MakeRoutes(content_, place)) {
    EXPECT_TRUE(route.path == "/" || route.path.starts_with("/a/echo"));
    EXPECT_EQ(route.name.find("echo"), std::string::npos) << route.name;
  }
  EXPECT_EQ(Respond("/a/echo/-/healthy", "", place).status, 200);
  EXPECT_THAT(BodyOf(Respond("/a/echo/", "", place)),
              HasSubstr("href=\"metrics\""));
}

TEST_F(RoutesTest, LeadsToTheFirstPage) {
  const auto location = [this](const std::string& path, const WebPlace& place) {
    const HttpResponse response = Respond(path, "", place);
    EXPECT_EQ(response.status, 302);
    return response.headers.at(0).second;
  };
  // Relative: a proxy may serve the path under another one.
  const WebPlace place{.route_prefix = "/a/echo", .external_url = ""};
  EXPECT_EQ(location("/a/echo", place), "echo/");
  EXPECT_EQ(location("/", place), "a/echo/");
  EXPECT_EQ(location("/", {.route_prefix = "/a",
                           .external_url = "https://example.net/b"}),
            "https://example.net/b/");
}

TEST_F(RoutesTest, ServesTheStatusPageAndItsJson) {
  EXPECT_THAT(BodyOf(Respond("/")), HasSubstr("<table id=\"pairs\">"));
  EXPECT_THAT(BodyOf(Respond("/api/v1/status")), HasSubstr("\"counts\":{"));
  EXPECT_THAT(BodyOf(Respond("/api/v1/pairs")), HasSubstr("{\"pairs\":[]"));
  EXPECT_THAT(BodyOf(Respond("/api/v1/matrix")), HasSubstr("\"rows\":[]"));
  EXPECT_EQ(Respond("/api/v1/pair").status, 400);
  EXPECT_EQ(Respond("/api/v1/probe").status, 403);
}

TEST_F(RoutesTest, LeavesProbesAndReloadsToTheirHandlers) {
  EXPECT_EQ(Respond("/probe", "target=a").status, 403);
  EXPECT_EQ(Respond("/probe", "target=a").body, "target=a");
  EXPECT_EQ(Respond("/-/reload").status, 500);
  EXPECT_EQ(Respond("/-/reload").body, "no\n");
}

}  // namespace
}  // namespace echo_exporter
