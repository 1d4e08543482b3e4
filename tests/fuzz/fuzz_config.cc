// libFuzzer target: a configuration file.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "echo_exporter/config.h"

namespace {

using echo_exporter::ConfigOutcome;
using echo_exporter::ConfigToToml;
using echo_exporter::ParseConfig;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// "f.toml:<line>:<column>: <one line>".
bool IsFinding(std::string_view text) {
  return text.starts_with("f.toml:") &&
         text.find(": ") != std::string_view::npos &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return (c >= 0 && c < ' ') || c == '\x7f';
         });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ConfigOutcome outcome = ParseConfig(text, "f.toml");
  Require(outcome.config.has_value() == outcome.errors.empty());
  Require(std::all_of(outcome.errors.begin(), outcome.errors.end(), IsFinding));
  if (!outcome.config) return 0;

  const auto& warnings = outcome.config->warnings;
  Require(std::all_of(warnings.begin(), warnings.end(), IsFinding));
  const std::string toml = ConfigToToml(*outcome.config);
  const ConfigOutcome again = ParseConfig(toml, "f.toml");
  Require(again.config.has_value());
  Require(ConfigToToml(*again.config) == toml);
  Require(again.config->pairs.size() == outcome.config->pairs.size());
  return 0;
}
