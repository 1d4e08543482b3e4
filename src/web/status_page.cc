#include "src/web/status_page.h"

#include <algorithm>
#include <array>
#include <optional>

#include "echo_exporter/version.h"
#include "src/base/json_writer.h"
#include "src/base/log.h"
#include "src/base/utf8.h"
#include "src/web/static_files.h"

namespace echo_exporter {
namespace {

constexpr std::string_view kNone = "\u2013";
// By PairState.
constexpr std::array<std::string_view, kPairStateCount> kGlyphs = {
    "\u2713", "\u2248", "\u00d7", "?"};

constexpr std::string_view kNavigation =
    "<nav aria-label=\"Pages\"><a href=\"metrics\">Metrics</a> "
    "<a href=\"config\">Configuration</a> <a href=\"api/v1/status\">JSON</a> "
    "<a href=\"-/healthy\">Health</a> <a href=\"-/ready\">Readiness</a></nav>"
    "</header>\n<main id=\"main\">\n";

constexpr std::string_view kTableHead =
    "<div id=\"view\"><table id=\"pairs\"><caption>Pairs, worst first</caption>"
    "<thead><tr><th scope=\"col\">State</th>"
    "<th scope=\"col\" class=\"wide\">Source</th>"
    "<th scope=\"col\">Destination</th>"
    "<th scope=\"col\" class=\"wider\">Group</th>"
    "<th scope=\"col\" class=\"number wide\">Loss 1&nbsp;min</th>"
    "<th scope=\"col\" class=\"number\">Loss 10&nbsp;min</th>"
    "<th scope=\"col\" class=\"number wide\">Loss 1&nbsp;h</th>"
    "<th scope=\"col\" class=\"number\">Median RTT</th>"
    "<th scope=\"col\" class=\"number wide\">99 % RTT</th>"
    "<th scope=\"col\" class=\"number wider\">Failures in&nbsp;a&nbsp;row</th>"
    "<th scope=\"col\" class=\"number\">Since</th>"
    "<th scope=\"col\" class=\"wide\">Last hour</th></tr></thead>\n<tbody>\n";

/// For text and for attributes in double quotes. Invisible characters, which
/// may turn the text around them, are shown as their code.
std::string EscapeHtml(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  while (!text.empty()) {
    const std::string_view character = TakeUtf8(&text);
    const char32_t code = Utf8CodePoint(character);
    if (code == '&' || code == '<' || code == '>' || code == '"' ||
        code == '\'') {
      escaped += "&#" + std::to_string(static_cast<unsigned>(code)) + ";";
    } else if (IsInvisible(code)) {
      escaped += "\u27e8U+";
      for (const int shift : {12, 8, 4, 0}) escaped += kHex[code >> shift & 15];
      escaped += "\u27e9";
    } else {
      escaped += character;
    }
  }
  return escaped;
}

/// A name; only a long one may be broken into lines.
std::string Name(std::string_view text) {
  constexpr std::size_t kLong = 24;
  return std::string(text.size() > kLong ? "<bdi class=\"long\">" : "<bdi>") +
         EscapeHtml(text) + "</bdi>";
}

/// "2026-11-26 20:24:51 UTC".
std::string TimeElement(WallTime time, std::string_view attributes = "") {
  std::string text = FormatLogTime(time);
  const std::string shown = text.substr(0, 10) + " " + text.substr(11, 8);
  return "<time" + std::string(attributes) + " datetime=\"" + text + "\">" +
         shown + " UTC</time>";
}

/// "20:24:51", or the date of another time than the day before `now`; UTC.
std::string ShortTimeElement(WallTime time, WallTime now) {
  const std::string text = FormatLogTime(time);
  const bool is_recent = now - time < std::chrono::hours(24);
  return "<time datetime=\"" + text + "\">" +
         (is_recent ? text.substr(11, 8) : text.substr(0, 10)) + "</time>";
}

std::string LossText(const std::optional<double>& loss) {
  if (!loss) return std::string(kNone);
  if (*loss > 0 && *loss < 0.001) return "&lt;0.1 %";
  if (*loss > 0.99 && *loss < 1) return "&gt;99 %";
  return DigitsOf(*loss * 100, *loss < 0.1 ? 2 : 3) + " %";
}

std::string RttText(const std::optional<double>& seconds) {
  if (!seconds) return std::string(kNone);
  return *seconds < 0.9995 ? DigitsOf(*seconds * 1000, 3) + " ms"
                           : DigitsOf(*seconds, 3) + " s";
}

std::string StateText(const PairView& pair) {
  const std::string state(NameOf(pair.state));
  std::string text =
      "<span class=\"state " + state +
      "\"><span class=\"glyph\" aria-hidden=\"true\">" +
      std::string(kGlyphs[static_cast<std::size_t>(pair.state)]) +
      "</span>"
      "<span class=\"word\">" +
      state + "</span></span>";
  const auto& outcome = pair.status.statistics.last_outcome;
  if (pair.state == PairState::kDown && outcome) {
    std::string why(EchoOutcomeName(*outcome));
    std::ranges::replace(why, '_', ' ');
    text += " <span class=\"dim why\">" + why + "</span>";
  }
  return text;
}

/// An image of 60 minutes, 2 wide each: medians as a line, losses as marks.
std::string SparkImage(const PairHour& hour) {
  const Spark spark = MakeSpark(hour);
  std::string line;
  std::string marks;
  bool is_drawing = false;
  for (std::size_t i = 0; i < hour.size(); ++i) {
    const std::size_t level = Spark::kLevels.find(spark.rtt[i]);
    if (level != std::string_view::npos) {
      const double y = 20 - static_cast<double>(level) * 0.28;
      line += (is_drawing ? "L" : "M") + std::to_string(2 * i) + "," +
              DigitsOf(y, 3);
    }
    is_drawing = level != std::string_view::npos;
    if (spark.lost[i] > '0') {
      marks += "M" + std::to_string(2 * i) + ",29v-" +
               DigitsOf(3 + (spark.lost[i] - '0') / 2.0, 2);
    }
  }
  return "<svg class=\"spark\" width=\"120\" height=\"29\" viewBox=\"0 0 120 "
         "29\" aria-hidden=\"true\"><path class=\"axis\" d=\"M0,29.5H120\"/>"
         "<path class=\"median\" fill=\"none\" d=\"" +
         line + "\"/><path class=\"loss\" d=\"" + marks + "\"/></svg>";
}

std::string Row(const PairView& pair, const PairHour& hour, WallTime now) {
  const PairLabels& labels = *pair.status.labels;
  const auto& route = pair.status.route;
  const std::string address =
      route ? route->destination.ToString() : "no address";
  const std::string source = Name(labels.source);
  const auto cell = [](std::string_view classes, const std::string& content) {
    return "<td class=\"" + std::string(classes) + "\">" + content + "</td>";
  };
  return "<tr class=\"" + std::string(NameOf(pair.state)) + "\"><td>" +
         StateText(pair) + "</td>" + cell("wide", source) +
         cell("destination",
              Name(labels.destination) + " <span class=\"dim\">" +
                  (address == labels.destination ? ""
                                                 : EscapeHtml(address) + " ") +
                  "<span class=\"narrow\">from " + source + "</span></span>") +
         cell("wider", Name(labels.group)) +
         cell("number wide", LossText(pair.loss_1m)) +
         cell("number", LossText(pair.loss_10m)) +
         cell("number wide", LossText(pair.loss_1h)) +
         cell("number", RttText(pair.rtt_median)) +
         cell("number wide", RttText(pair.rtt_p99)) +
         cell("number wider",
              std::to_string(pair.status.statistics.consecutive_failures)) +
         cell("number", ShortTimeElement(pair.since, now)) +
         cell("wide", SparkImage(hour)) + "</tr>\n";
}

std::string Head(WallTime time) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, "
         "initial-scale=1\"><meta name=\"color-scheme\" content=\"light "
         "dark\"><title>echo_exporter</title><link rel=\"icon\" "
         "href=\"data:,\"><link rel=\"stylesheet\" href=\"static/" +
         std::string(StyleName()) + "\"><script src=\"static/" +
         std::string(ScriptName()) +
         "\" defer></script></head>\n"
         "<body><a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
         "<header id=\"top\"><h1>echo_exporter</h1><p id=\"about\">"
         "<span id=\"version\">" +
         EscapeHtml(kVersion) + "</span> " + TimeElement(time, " id=\"time\"") +
         "</p>" + std::string(kNavigation);
}

std::string Summary(const PairList& list, const StatusFacts& facts) {
  std::string html = "<section id=\"counts\" aria-label=\"Pairs by state\">";
  for (std::size_t i = 0; i < list.counts.size(); ++i) {
    const std::string state(NameOf(static_cast<PairState>(i)));
    html += "<div class=\"count " + state +
            (list.counts[i] == 0 ? " zero" : "") + "\"><b>" +
            std::to_string(list.counts[i]) + "</b> <span>" + state +
            "</span></div>";
  }
  html += "</section>\n<section id=\"verdicts\" role=\"status\">";
  for (const Verdict& verdict : list.verdicts) {
    html += "<p class=\"verdict\"><b>" + EscapeHtml(verdict.text) +
            "</b> <span class=\"dim\">" + std::to_string(verdict.pairs) +
            " pairs, since " + TimeElement(verdict.since) + "</span></p>";
  }
  html += "</section>\n<section id=\"notice\">";
  if (const std::string note = HistoryNote(facts); !note.empty()) {
    html += "<p class=\"notice\">" + EscapeHtml(note) + "</p>";
  }
  return html + "</section>\n";
}

std::string ProbeForm(const ExporterConfig& config) {
  const std::string end = "</body></html>\n";
  if (!config.probe.enabled) return "</main>\n" + end;
  std::string html =
      "</main>\n<footer><form id=\"probe\" action=\"probe\" method=\"get\">"
      "<label>Target <input name=\"target\" required></label> "
      "<label>Module <select name=\"module\">";
  for (const auto& [name, module] : config.modules) {
    html += "<option>" + EscapeHtml(name) + "</option>";
  }
  return html +
         "</select></label> <label><input type=\"checkbox\" name=\"debug\" "
         "value=\"true\"> with its log</label> <button>Probe</button></form>"
         "</footer>" +
         end;
}

}  // namespace

std::string StatusPage(const PairList& list, const PairQuery& query,
                       const StatusFacts& facts, PairHistory& history) {
  const std::vector<const PairView*> selected = Select(list, query);
  const std::size_t shown = std::min(query.limit, selected.size());
  std::vector<PairId> ids;
  for (std::size_t i = 0; i < shown; ++i) ids.push_back(selected[i]->status.id);
  const std::vector<PairHour> hours = history.LastHours(ids);
  std::string html = Head(list.time) + Summary(list, facts);
  html += kTableHead;
  for (std::size_t i = 0; i < shown; ++i) {
    html += Row(*selected[i], hours[i], list.time);
  }
  html += "</tbody></table>\n<p id=\"more\">Showing " + std::to_string(shown) +
          " of " + std::to_string(selected.size()) + " pairs.</p></div>\n";
  return html + ProbeForm(*facts.config);
}

}  // namespace echo_exporter
