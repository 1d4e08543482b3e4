#include "echo_exporter/web_config.h"

#include <exception>

#include "src/base/file.h"
#include "src/config/web_config_sections.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;

template <typename Read>
void ReadSection(YamlReader& root, const std::string& name, Findings& findings,
                 Read read) {
  const auto mapping = root.ReadMapping(name);
  if (!mapping) return;
  YamlReader section(*mapping, name + ": ", findings);
  read(section);
  section.ReportUnknownKeys();
}

void ReadHttpServer(YamlReader& http, Findings& findings, WebConfig* config) {
  // Either value is good: HTTP/1.1 is served to all.
  http.ReadBoolean("http2");
  ReadSection(http, "headers", findings,
              [&](YamlReader& headers) { ReadHeaders(headers, config); });
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

void Load(const std::string& path, WebConfigOutcome* outcome) {
  const auto text = ReadFile(path, kMaxFileBytes);
  if (!text.ok()) {
    outcome->errors.push_back(
        path + ": reading the web configuration: " + text.error().message);
    return;
  }
  Findings findings(path);
  WebConfigFile file{path, PathFromUtf8(path).parent_path(), {}};
  WebConfig config;
  if (const auto document = ParseYaml(text.value(), findings)) {
    ReadDocument(*document, findings, &file, &config);
  }
  outcome->files.insert(outcome->files.end(), file.read.begin(),
                        file.read.end());
  outcome->errors = findings.Errors();
  if (!outcome->errors.empty()) return;
  config.warnings = findings.Warnings();
  outcome->config = std::move(config);
}

}  // namespace

WebConfigOutcome LoadWebConfig(const std::string& path) {
  WebConfigOutcome outcome;
  outcome.files.push_back(path);
  try {
    Load(path, &outcome);
  } catch (const std::exception& error) {
    outcome.config.reset();
    outcome.errors = {path +
                      ": reading the web configuration: " + error.what()};
  }
  return outcome;
}

}  // namespace echo_exporter
