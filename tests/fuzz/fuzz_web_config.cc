// libFuzzer target: a web configuration.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "echo_exporter/web_config.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

/// "no/web.yml:<line>:<column>: <one line>".
bool IsFinding(std::string_view text) {
  return text.starts_with("no/web.yml:") &&
         text.find(": ") != std::string_view::npos &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return (c >= 0 && c < ' ') || c == '\x7f';
         });
}

bool IsHeaderText(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto outcome = echo_exporter::ParseWebConfig(text, "no/web.yml");
  Require(outcome.config.has_value() == outcome.errors.empty());
  Require(std::all_of(outcome.errors.begin(), outcome.errors.end(), IsFinding));
  Require(!outcome.files.empty());
  if (!outcome.config) return 0;

  for (const auto& [name, value] : outcome.config->headers) {
    Require(IsHeaderText(value));
  }
  for (const auto& [name, hash] : outcome.config->users) {
    Require(hash.size() == 60 && name.find(':') == std::string::npos);
  }
  const auto& limit = outcome.config->rate_limit;
  Require(!limit || limit->interval.count() > 0);
  return 0;
}
