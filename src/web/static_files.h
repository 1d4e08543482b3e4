#pragma once

#include <span>
#include <string_view>

#include "echo_exporter/http_server.h"

namespace echo_exporter {

/// A file of the status page that is part of the program; src/web/static has
/// what it is made of.
struct StaticFile {
  std::string_view name;  ///< other content has another name
  std::string_view content_type;
  std::string_view bytes;
};

/// Those below "static/". Thread-safe.
std::span<const StaticFile> StaticFiles();
/// The names of the page's script and of its stylesheet.
std::string_view ScriptName();
std::string_view StyleName();

/// The response to a request for `file`, which browsers keep for good.
HttpResponse RespondWithFile(const StaticFile& file);

}  // namespace echo_exporter
