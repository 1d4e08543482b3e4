#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "echo_exporter/http_client.h"
#include "src/base/host_name.h"
#include "src/config/config_sections.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};

/// As it may stand in a URL.
std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9') ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 0xf]});
    }
  }
  return encoded;
}

/// Why nothing can be requested from `url`; empty when it can.
std::string UrlFault(std::string_view url) {
  const auto scheme = std::ranges::find_if(
      kSchemes, [&](std::string_view text) { return url.starts_with(text); });
  if (scheme == kSchemes.end()) {
    return R"(must begin with "http://" or "https://")";
  }
  if (std::ranges::any_of(url, [](char c) {
        return c <= ' ' || c >= '\x7f' ||
               std::string_view("\"#<>\\^`{|}").find(c) !=
                   std::string_view::npos;
      })) {
    return "must be of the printable ASCII characters that URLs have, without "
           "a fragment; the only placeholder is {hostname}";
  }
  const std::string_view rest = url.substr(scheme->size());
  if (rest.substr(0, rest.find_first_of("/?")).find('@') !=
      std::string_view::npos) {
    return "must not contain a user or a password; use basic_auth";
  }
  if (!HttpUrl::Parse(url)) {
    return "must have a host, and its port, if any, must be a number from 1 to "
           "65535";
  }
  return {};
}

/// The pattern of Prometheus's file_sd.
bool IsTargetFilePattern(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string extension = LowerCase(std::string(text.substr(dot)));
  if (extension != ".json" && extension != ".yml" && extension != ".yaml") {
    return false;
  }
  const std::size_t star = text.find('*');
  return star == std::string_view::npos ||
         text.find_first_of("*/\\", star + 1) == std::string_view::npos;
}

void ReadFiles(DocumentReader& table, FileDiscoveryConfig* config) {
  table.ReadBoolean("strip_port", &config->strip_port);
  const auto items = table.ReadTexts("files");
  if (!items || items->empty()) {
    if (items || !table.Has("files")) table.AddError("files are missing");
    return;
  }
  for (const auto& item : *items) {
    if (!IsTargetFilePattern(item.value)) {
      table.AddError(item.position,
                     "files: " + Excerpt(item.value) +
                         " must end in .json, .yml or .yaml and have at most "
                         "one \"*\", which is behind the last \"/\"");
    } else if (auto path = table.PathOf("files", item)) {
      config->files.push_back(*std::move(path));
    }
  }
}

void ReadUrl(DocumentReader& table, const ConfigPlatform& platform,
             HttpDiscoveryConfig* config) {
  const auto url = table.RequireText("url");
  if (!url) return;
  config->url = WithHostName(url->value, PercentEncoded(platform.hostname));
  if (const std::string fault = UrlFault(config->url); !fault.empty()) {
    table.AddError(url->position, "url " + fault);
  }
}

void ReadProxy(DocumentReader& table, HttpDiscoveryConfig* config) {
  const auto proxy = table.ReadText("proxy_url");
  if (!proxy) return;
  std::string url = proxy->value;
  if (url.ends_with('/')) url.pop_back();
  const std::string_view scheme = kSchemes[0];
  if (!url.starts_with(scheme) || !UrlFault(url).empty() ||
      url.find_first_of("/?", scheme.size()) != std::string::npos) {
    table.AddError(proxy->position,
                   "proxy_url must be \"http://host:port\", without user, "
                   "password and path");
  }
  config->proxy_url = std::move(url);
}

void ReadBasicAuth(DocumentReader& auth, HttpDiscoveryConfig* config) {
  if (const auto username = auth.RequireText("username")) {
    if (username->value.find(':') != std::string::npos ||
        !NameFault(username->value).empty()) {
      auth.AddError(username->position,
                    "username must be of 1 to 128 bytes, none of them a \":\" "
                    "or a control character");
    }
    config->username = username->value;
  }
  if (const auto path = auth.ReadPath("password_file")) {
    config->password_file = path->value;
  } else if (!auth.Has("password_file")) {
    auth.AddError("password_file is missing");
  }
}

void CheckSecurity(DocumentReader& table, const HttpDiscoveryConfig& config) {
  const bool has_token = table.Has("bearer_token_file");
  const bool has_password = table.Has("basic_auth");
  if (has_token && has_password) {
    table.AddError(table.PositionOf("basic_auth"),
                   "basic_auth and bearer_token_file are mutually exclusive");
  }
  for (const auto& [key, other] : {std::pair{"cert_file", "key_file"},
                                   std::pair{"key_file", "cert_file"}}) {
    if (table.Has(key) && !table.Has(other)) {
      table.AddError(table.PositionOf(key),
                     std::string(key) + " needs a " + std::string(other));
    }
  }
  if (!config.url.starts_with(kSchemes[0])) {
    if (table.Has("server_name") && table.Has("proxy_url")) {
      table.AddError(table.PositionOf("server_name"),
                     "server_name cannot be used with proxy_url: the proxy "
                     "would be asked for that name; let url have the name that "
                     "the certificate has");
    }
    return;
  }
  for (const char* const key :
       {"ca_file", "cert_file", "key_file", "server_name"}) {
    if (table.Has(key)) {
      table.AddError(table.PositionOf(key),
                     std::string(key) + " is for https:// only");
    }
  }
  if (has_token || has_password) {
    table.AddWarning(
        table.PositionOf(has_token ? "bearer_token_file" : "basic_auth"),
        "over http:// whoever is on the way can read the secret; use https://");
  }
}

void ReadServer(DocumentReader& table, const ConfigPlatform& platform,
                HttpDiscoveryConfig* config) {
  ReadUrl(table, platform, config);
  table.ReadDuration("refresh_interval", seconds(5), hours(24),
                     &config->refresh_interval);
  table.ReadBoolean("strip_port", &config->strip_port);
  for (const auto& [key, path] :
       {std::pair{"ca_file", &config->ca_file},
        std::pair{"cert_file", &config->cert_file},
        std::pair{"key_file", &config->key_file},
        std::pair{"bearer_token_file", &config->bearer_token_file}}) {
    if (auto read = table.ReadPath(key)) *path = std::move(read->value);
  }
  if (const auto name = table.ReadText("server_name")) {
    if (!IsHostName(name->value) && !IpAddress::Parse(name->value)) {
      table.AddError(name->position,
                     "server_name must be a host name or an "
                     "address, not " +
                         Excerpt(name->value));
    }
    config->server_name = name->value;
  }
  if (const DocumentNode* const node = table.ReadTable("basic_auth")) {
    DocumentReader auth = table.EnterPart(*node, "basic_auth: ");
    ReadBasicAuth(auth, config);
    auth.ReportUnknownKeys();
  }
  ReadProxy(table, config);
  CheckSecurity(table, *config);
}

}  // namespace

void ReadDiscovery(DocumentReader& table, const ConfigPlatform& platform,
                   GroupConfig* group) {
  ReadWord(table, "addresses", kAddressesWords, &group->name_addresses);
  table.ReadBoolean("exclude_self", &group->exclude_self);
  table.ReadInteger("neighbours", 1, 1'000'000, &group->neighbours);
  for (const DocumentNode* const node :
       table.ReadTables("file_sd", "group.file_sd")) {
    DocumentReader reader = table.EnterPart(*node, "file_sd: ");
    ReadFiles(reader, &group->file_sd.emplace_back());
    reader.ReportUnknownKeys();
  }
  for (const DocumentNode* const node :
       table.ReadTables("http_sd", "group.http_sd")) {
    DocumentReader reader = table.EnterPart(*node, "http_sd: ");
    ReadServer(reader, platform, &group->http_sd.emplace_back());
    reader.ReportUnknownKeys();
  }
}

std::string WithHostName(std::string text, std::string_view hostname) {
  constexpr std::string_view kPlaceholder = "{hostname}";
  for (std::size_t at = 0;
       (at = text.find(kPlaceholder, at)) != std::string::npos;
       at += hostname.size()) {
    text.replace(at, kPlaceholder.size(), hostname);
  }
  return text;
}

}  // namespace echo_exporter
