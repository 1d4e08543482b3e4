#include "echo_exporter/web_config.h"

#include <exception>
#include <string>
#include <utility>

#include "src/base/file.h"
#include "src/config/document.h"
#include "src/config/document_reader.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

void ReadHttpServer(DocumentReader& http, WebConfig* config) {
  bool http2 = false;  // either is accepted: HTTP/1.1 is served to all
  http.ReadBoolean("http2", &http2);
  http.ReadSection(
      "headers", "http_server_config: headers: ", [&](DocumentReader& headers) {
        ReadHeaders(headers, config);
      });
}

void ReadDocument(const Document& document, Findings& findings,
                  WebConfigFile* file, WebConfig* config) {
  DocumentReader root(document, findings);
  const auto read = [&](const std::string& key, auto read_section) {
    // The toolkit takes a section without content for a missing one.
    if (root.SkipNull(key)) {
      root.AddWarning(document.root.Find(key)->key_position,
                      key + " is empty and has no effect");
    } else {
      root.ReadSection(key, key + ": ", read_section);
    }
  };
  read("tls_server_config",
       [&](DocumentReader& tls) { ReadTlsServer(tls, file, &config->tls); });
  read("http_server_config",
       [&](DocumentReader& http) { ReadHttpServer(http, config); });
  read("basic_auth_users",
       [&](DocumentReader& users) { ReadUsers(users, config); });
  read("rate_limit",
       [&](DocumentReader& limit) { ReadRateLimit(limit, config); });
  root.ReportUnknownKeys();
}

/// Whether the document is a mapping or empty; if not, an error is added.
bool IsMapping(const Document& document, Findings& findings) {
  const DocumentNode& root = document.root;
  if (root.kind == DocumentNode::Kind::kTable ||
      root.kind == DocumentNode::Kind::kNull) {
    return true;
  }
  findings.AddError(root.position,
                    "the file must contain a mapping, not " +
                        std::string(TypeName(document.format, root.kind)));
  return false;
}

WebConfigOutcome Unreadable(const std::string& path, const std::string& cause) {
  WebConfigOutcome outcome;
  outcome.files.push_back(
      {path, HashOf(Error{ErrorCode::kUnavailable, cause})});
  outcome.errors.push_back(path + ": reading the web configuration: " + cause);
  return outcome;
}

}  // namespace

WebConfigOutcome ParseWebConfig(const std::string& text,
                                const std::string& path) try {
  WebConfigFile file{PathFromUtf8(path).parent_path(), {{path, HashOf(text)}}};
  Findings findings(path);
  WebConfig config;
  const auto document = ParseYaml(text, findings);
  if (document && IsMapping(*document, findings)) {
    ReadDocument(*document, findings, &file, &config);
  }
  WebConfigOutcome outcome;
  outcome.files = std::move(file.read);
  outcome.errors = findings.Errors();
  if (outcome.errors.empty()) {
    config.warnings = findings.Warnings();
    outcome.config = std::move(config);
  }
  return outcome;
} catch (const std::exception& error) {
  return Unreadable(path, error.what());
}

WebConfigOutcome LoadWebConfig(const std::string& path) try {
  const auto text = ReadFile(path, kMaxWebFileBytes);
  return text.ok() ? ParseWebConfig(text.value(), path)
                   : Unreadable(path, text.error().message);
} catch (const std::exception& error) {
  return Unreadable(path, error.what());
}

}  // namespace echo_exporter
