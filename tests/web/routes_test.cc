#include "src/web/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    content_.metrics = [](const TextSink& sink) { sink("a 1\n"); };
    content_.metrics_memory = [] { return std::size_t{77}; };
    content_.config = [] { return std::string("[web]\n"); };
    content_.not_ready_reason = [] { return std::string(); };
    content_.pair_count = [] { return std::size_t{1234}; };
    content_.probe = [](const HttpRequest& request) {
      return HttpResponse{.status = 403, .body = request.query};
    };
    content_.reload = [] { return HttpResponse::Text(500, "no"); };
  }

  HttpResponse Respond(const std::string& path, const std::string& query = "") {
    const std::vector<HttpRoute> routes = MakeRoutes(content_);
    const auto route = std::ranges::find(routes, path, &HttpRoute::path);
    if (route == routes.end()) {
      ADD_FAILURE() << "no route " << path;
      return {};
    }
    return route->handler(
        {.method = route->methods.at(0), .path = path, .query = query});
  }

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
  EXPECT_THAT(places, UnorderedElementsAre(
                          Place("GET", "/"), Place("GET", "/-/healthy"),
                          Place("GET", "/-/ready"), Place("POST", "/-/reload"),
                          Place("GET", "/config"), Place("GET", "/metrics"),
                          Place("GET", "/probe")));
}

TEST_F(RoutesTest, WritesMetricsInTheTextFormat) {
  const HttpResponse response = Respond("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.held_bytes, 77U);
  std::string text;
  response.write_body([&text](std::string_view piece) {
    text += piece;
    return true;
  });
  EXPECT_EQ(text, "a 1\n");
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
  EXPECT_EQ(response.body, "[web]\n");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
}

TEST_F(RoutesTest, HasALandingPageWithoutActiveContent) {
  const HttpResponse response = Respond("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(
      response.headers,
      ElementsAre(testing::Pair("Content-Security-Policy",
                                "default-src 'none'; base-uri 'none'; "
                                "form-action 'none'; frame-ancestors 'none'")));
  EXPECT_THAT(response.body, HasSubstr("1234"));
  for (const char* link : {"/metrics", "/config", "/-/healthy", "/-/ready",
                           "/probe?target=127.0.0.1&amp;module=icmp"}) {
    EXPECT_THAT(response.body, HasSubstr("href=\"" + std::string(link) + "\""));
  }
}

TEST_F(RoutesTest, LeavesProbesAndReloadsToTheirHandlers) {
  EXPECT_EQ(Respond("/probe", "target=a").status, 403);
  EXPECT_EQ(Respond("/probe", "target=a").body, "target=a");
  EXPECT_EQ(Respond("/-/reload").status, 500);
  EXPECT_EQ(Respond("/-/reload").body, "no\n");
}

}  // namespace
}  // namespace echo_exporter
