#include "src/app/reload_response.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace echo_exporter {
namespace {

// Many clients may be slow to read theirs.
constexpr std::size_t kMostLines = 100;

}  // namespace

HttpResponse RenderReload(const Exporter::ReloadReport& report) {
  const bool good = report.successful;
  HttpResponse response =
      good ? HttpResponse::Text(200, "Reloaded.")
           : HttpResponse::Text(500,
                                "Reload failed; the previous configuration "
                                "stays in force:");
  const auto& lines = good ? report.notes : report.errors;
  const std::size_t shown = std::min(lines.size(), kMostLines);
  for (std::size_t i = 0; i < shown; ++i) response.body += lines[i] + "\n";
  if (lines.size() > shown) {
    response.body += std::to_string(lines.size() - shown) +
                     " more lines; --config.check prints all.\n";
  }
  return response;
}

}  // namespace echo_exporter
