#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "echo_exporter/web_config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// What the readers of the web configuration's sections need to know about the
/// file.
struct WebConfigFile {
  std::filesystem::path folder;          ///< relative paths start here
  std::vector<WebConfigFileState> read;  ///< itself and those it names, so far
};

/// Absent when the section has nothing to do with TLS; the server speaks plain
/// HTTP then.
void ReadTlsServer(DocumentReader& tls, WebConfigFile* file,
                   std::optional<TlsConfig>* config);
void ReadHeaders(DocumentReader& headers, WebConfig* config);
void ReadUsers(DocumentReader& users, WebConfig* config);
void ReadRateLimit(DocumentReader& limit, WebConfig* config);

/// Parses a duration as Go's YAML does: such as "1s", "1m30s", "1.5s" or
/// "-250ms", with the units h, m, s, ms, us and ns, or a whole number of
/// nanoseconds. Absent for anything else, including durations beyond 292 years.
std::optional<Nanoseconds> ParseGoDuration(std::string_view text);

}  // namespace echo_exporter
