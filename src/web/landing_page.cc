#include "src/web/landing_page.h"

#include <string_view>

namespace echo_exporter {
namespace {

/// For text and for attributes in double quotes.
std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string RenderLandingPage(const LandingPage& page) {
  std::string html =
      "<!DOCTYPE html>\n"
      "<html lang=\"en\">\n"
      "<head><meta charset=\"utf-8\"><title>echo_exporter</title></head>\n"
      "<body>\n"
      "<h1>echo_exporter</h1>\n"
      "<p>Version " +
      EscapeHtml(page.version) +
      ". Pairs (source, destination): " + std::to_string(page.pair_count) +
      ".</p>\n<ul>\n";
  for (const LandingPage::Link& link : page.links) {
    html += "<li><a href=\"" + EscapeHtml(link.address) + "\">" +
            EscapeHtml(link.text) + "</a></li>\n";
  }
  return html + "</ul>\n</body>\n</html>\n";
}

}  // namespace echo_exporter
