#include "src/web/landing_page.h"

#include <gtest/gtest.h>

#include <string>

namespace echo_exporter {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(LandingPageTest, ShowsVersionPairsAndLinks) {
  const std::string html =
      RenderLandingPage({.version = "1.2.3",
                         .pair_count = 2000,
                         .links = {{"/metrics", "Metrics"}}});
  EXPECT_TRUE(Contains(html, "<!DOCTYPE html>")) << html;
  EXPECT_TRUE(Contains(html, "Version 1.2.3")) << html;
  EXPECT_TRUE(Contains(html, "2000")) << html;
  EXPECT_TRUE(Contains(html, "<a href=\"/metrics\">Metrics</a>")) << html;
}

TEST(LandingPageTest, EscapesWhateverItShows) {
  const std::string html =
      RenderLandingPage({.version = "<script>",
                         .pair_count = 0,
                         .links = {{"/probe?a=\"'&b=<>", "A & <b>\"B'</b>"}}});
  EXPECT_TRUE(Contains(html, "Version &lt;script&gt;")) << html;
  EXPECT_TRUE(Contains(html,
                       "<a href=\"/probe?a=&quot;&#39;&amp;b=&lt;&gt;\">"
                       "A &amp; &lt;b&gt;&quot;B&#39;&lt;/b&gt;</a>"))
      << html;
}

}  // namespace
}  // namespace echo_exporter
