#include "echo_exporter/web_config.h"

#include <exception>
#include <utility>

#include "src/base/file.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

/// Calls `read` with a reader of the mapping behind `name`, if there is one.
/// `parent` comes before the name in what is said about it.
template <typename Read>
void ReadSection(YamlReader& root, const std::string& name, Findings& findings,
                 Read read, const std::string& parent = "") {
  const auto mapping = root.ReadMapping(name);
  if (!mapping) return;
  YamlReader section(*mapping, parent + name + ": ", findings);
  read(section);
  section.ReportUnknownKeys();
}

void ReadHttpServer(YamlReader& http, Findings& findings, WebConfig* config) {
  // Either value is good: HTTP/1.1 is served to all.
  http.ReadBoolean("http2");
  ReadSection(
      http, "headers", findings,
      [&](YamlReader& headers) { ReadHeaders(headers, config); },
      "http_server_config: ");
}

void ReadDocument(const YAML::Node& document, Findings& findings,
                  WebConfigFile* file, WebConfig* config) {
  YamlReader root(document, "", findings);
  ReadSection(root, "tls_server_config", findings, [&](YamlReader& tls) {
    ReadTlsServer(tls, file, &config->tls.emplace());
  });
  ReadSection(root, "http_server_config", findings, [&](YamlReader& http) {
    ReadHttpServer(http, findings, config);
  });
  ReadSection(root, "basic_auth_users", findings,
              [&](YamlReader& users) { ReadUsers(users, config); });
  ReadSection(root, "rate_limit", findings,
              [&](YamlReader& limit) { ReadRateLimit(limit, config); });
  root.ReportUnknownKeys();
}

WebConfigOutcome Unreadable(const std::string& path, const std::string& cause) {
  WebConfigOutcome outcome;
  outcome.files.push_back(path);
  outcome.errors.push_back(path + ": reading the web configuration: " + cause);
  return outcome;
}

}  // namespace

WebConfigOutcome ParseWebConfig(const std::string& text,
                                const std::string& path) try {
  WebConfigFile file{path, PathFromUtf8(path).parent_path(), {path}};
  Findings findings(path);
  WebConfig config;
  if (const auto document = ParseYaml(text, findings)) {
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
  const auto text = ReadFile(path, kMaxFileBytes);
  return text.ok() ? ParseWebConfig(text.value(), path)
                   : Unreadable(path, text.error().message);
} catch (const std::exception& error) {
  return Unreadable(path, error.what());
}

}  // namespace echo_exporter
