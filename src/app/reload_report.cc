#include "src/app/reload_report.h"

#include <algorithm>
#include <string>

#include "src/base/log.h"

namespace echo_exporter {
namespace {

// Many clients may be slow to read theirs.
constexpr std::size_t kMostReloadLines = 100;

}  // namespace

void LogReload(const Exporter::ReloadReport& report, std::size_t pairs) {
  LogEach(LogLevel::kError,
          "configuration reload failed; keeping the previous configuration",
          "error", report.errors);
  if (!report.successful) return;
  LogEach(LogLevel::kWarn, "configuration", "warning", report.notes);
  Log(LogLevel::kInfo, "configuration reloaded",
      {{"pairs", std::to_string(pairs)}});
}

HttpResponse ResponseTo(const Exporter::ReloadReport& report) {
  const bool good = report.successful;
  HttpResponse response =
      good ? HttpResponse::Text(200, "Reloaded.")
           : HttpResponse::Text(500,
                                "Reload failed; the previous configuration "
                                "stays in force:");
  const auto& lines = good ? report.notes : report.errors;
  const std::size_t shown = std::min(lines.size(), kMostReloadLines);
  for (std::size_t i = 0; i < shown; ++i) response.body += lines[i] + "\n";
  if (lines.size() > shown) {
    response.body += std::to_string(lines.size() - shown) +
                     " more lines; --config.check prints all.\n";
  }
  return response;
}

}  // namespace echo_exporter
