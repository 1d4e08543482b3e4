#ifndef ECHO_EXPORTER_SRC_CONFIG_YAML_READER_H_
#define ECHO_EXPORTER_SRC_CONFIG_YAML_READER_H_

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/config/config_document.h"

namespace echo_exporter {

/// Parses YAML that holds one mapping, or nothing, which is an empty one.
/// Absent, with one error added, when it is anything else.
std::optional<YAML::Node> ParseYaml(const std::string& text,
                                    Findings& findings);

/// Reads one YAML mapping key by key with strict types. Reports what is wrong,
/// and leaves the variable alone then, as it does when the key is missing.
///
/// Confined to one thread; refers to the findings.
class YamlReader {
 public:
  /// `subject` begins every sentence about the mapping, as in "rate_limit: ".
  YamlReader(const YAML::Node& mapping, std::string subject,
             Findings& findings);

  void AddError(std::string_view sentence);
  void AddError(toml::source_position position, std::string_view sentence);
  void AddWarning(toml::source_position position, std::string_view sentence);

  bool Has(std::string_view key) const { return Find(key).has_value(); }
  /// Of the key's value, or of the mapping when there is none.
  toml::source_position PositionOf(std::string_view key) const;

  std::optional<bool> ReadBoolean(std::string_view key);
  /// A whole number from `min` to `max`.
  std::optional<std::int64_t> ReadInteger(std::string_view key,
                                          std::int64_t min, std::int64_t max);
  /// Any scalar but null.
  std::optional<Located<std::string>> ReadText(std::string_view key);
  /// Absent also when there is no list.
  std::optional<std::vector<Located<std::string>>> ReadTexts(
      std::string_view key);
  /// Another mapping; absent also when there is none.
  std::optional<YAML::Node> ReadMapping(std::string_view key);
  /// The keys of this mapping with the texts behind them, whatever they are.
  std::vector<std::pair<Located<std::string>, Located<std::string>>>
  ReadAllTexts();

  /// Reports every key that none of the calls above asked for.
  void ReportUnknownKeys();

 private:
  struct Entry {
    Located<std::string> key;
    YAML::Node value;
    toml::source_position position;  ///< of the value
  };

  std::optional<Entry> Find(std::string_view key) const;
  std::optional<Entry> Take(std::string_view key);
  std::optional<Located<std::string>> TextOf(const Entry& entry,
                                             const YAML::Node& node,
                                             std::string_view wanted);
  void AddTypeError(const Entry& entry, const YAML::Node& node,
                    std::string_view wanted);

  std::vector<Entry> entries_;
  toml::source_position position_;
  std::string subject_;
  Findings& findings_;
  std::vector<std::string> known_keys_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_YAML_READER_H_
