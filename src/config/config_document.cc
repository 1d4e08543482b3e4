#include "src/config/config_document.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "src/base/duration.h"
#include "src/config/number_text.h"
#include "src/config/quoted.h"
#include "src/config/toml_hazard.h"

namespace echo_exporter {
namespace {

/// Levenshtein distance.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Whole numbers without an exponent.
std::string PlainText(double number) {
  constexpr double kWhole = 1e15;
  return std::abs(number) < kWhole && number == std::floor(number)
             ? std::to_string(static_cast<std::int64_t>(number))
             : NumberText(number);
}

std::string Range(const std::string& min, const std::string& max) {
  return "from " + min + " to " + max;
}

}  // namespace

std::string_view TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

std::string KeyAdvice(std::string_view key, std::vector<std::string> known) {
  const auto distance = [key](const std::string& candidate) {
    return EditDistance(key.substr(0, 40), candidate);
  };
  const auto closest = std::min_element(
      known.begin(), known.end(),
      [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  // Two edits turn any three-letter word into any other with one letter kept.
  const std::size_t tolerated = key.size() < 5 ? 1 : 2;
  if (closest != known.end() && distance(*closest) <= tolerated) {
    return "did you mean " + Quoted(*closest) + "?";
  }
  std::sort(known.begin(), known.end());
  std::string list;
  for (const std::string& name : known) {
    list += (list.empty() ? "" : ", ") + name;
  }
  return "allowed here: " + list;
}

void Findings::AddError(toml::source_position position,
                        std::string_view sentence) {
  errors_.push_back({position, std::string(sentence)});
}

void Findings::AddWarning(toml::source_position position,
                          std::string_view sentence) {
  warnings_.push_back({position, std::string(sentence)});
}

std::vector<std::string> Findings::InFileOrder(
    std::vector<Finding> findings) const {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return a.position < b.position;
                   });
  std::vector<std::string> lines;
  for (const Finding& finding : findings) {
    // The parser quotes keys as they are, and a finding is one line.
    lines.push_back(file_name_ + ':' + std::to_string(finding.position.line) +
                    ':' + std::to_string(finding.position.column) + ": " +
                    EscapeControls(finding.sentence));
  }
  return lines;
}

std::optional<toml::table> ParseToml(std::string_view text,
                                     Findings& findings) {
  constexpr std::string_view kNotToml = "not valid TOML: ";
  if (const auto hazard = FindTomlHazard(text)) {
    findings.AddError({hazard->line, hazard->column},
                      std::string(kNotToml).append(hazard->sentence));
    return std::nullopt;
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    findings.AddError(error.source().begin,
                      std::string(kNotToml).append(error.description()));
  }
  return std::nullopt;
}

TableReader::TableReader(const toml::table& table, std::string subject,
                         Findings& findings)
    : table_(table), subject_(std::move(subject)), findings_(findings) {}

void TableReader::AddError(std::string_view sentence) {
  AddError(table_.source().begin, sentence);
}

void TableReader::AddError(toml::source_position position,
                           std::string_view sentence) {
  findings_.AddError(position, subject_ + std::string(sentence));
}

void TableReader::AddWarning(toml::source_position position,
                             std::string_view sentence) {
  findings_.AddWarning(position, subject_ + std::string(sentence));
}

toml::source_position TableReader::PositionOf(std::string_view key) const {
  const toml::node* const node = table_.get(key);
  return node == nullptr ? table_.source().begin : node->source().begin;
}

const toml::node* TableReader::Find(std::string_view key) {
  known_keys_.emplace_back(key);
  return table_.get(key);
}

void TableReader::AddTypeError(const toml::node& node, std::string_view what,
                               std::string_view wanted) {
  AddError(node.source().begin, std::string(what) + " must be " +
                                    std::string(wanted) + ", not " +
                                    std::string(TypeName(node)));
}

void TableReader::ReadBoolean(std::string_view key, bool* value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  if (const auto* boolean = node->as_boolean()) {
    *value = boolean->get();
  } else {
    AddTypeError(*node, key, "true or false");
  }
}

bool TableReader::ReadInt64(std::string_view key, std::int64_t min,
                            std::int64_t max, std::int64_t* value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return false;
  const std::string range = Range(std::to_string(min), std::to_string(max));
  const auto* const integer = node->as_integer();
  if (integer == nullptr) {
    AddTypeError(*node, key, "an integer " + range);
    return false;
  }
  *value = integer->get();
  if (*value >= min && *value <= max) return true;
  AddError(node->source().begin, std::string(key) + " must be " + range +
                                     ", not " + std::to_string(*value));
  return false;
}

void TableReader::ReadNumber(std::string_view key, double min, double max,
                             double* value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  const auto number = node->value<double>();  // absent also for a boolean
  const std::string wanted =
      "a number " + Range(PlainText(min), PlainText(max));
  if (!node->is_number() || !number) {
    AddTypeError(*node, key, wanted);
  } else if (*number >= min && *number <= max) {
    *value = *number;
  } else {
    AddError(node->source().begin, std::string(key) + " must be " + wanted +
                                       ", not " + PlainText(*number));
  }
}

void TableReader::ReadDuration(std::string_view key, Nanoseconds min,
                               Nanoseconds max, Nanoseconds* value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  const std::string range = Range(FormatDuration(min), FormatDuration(max));
  const auto* const text = node->as_string();
  if (text == nullptr) {
    AddTypeError(*node, key, "a duration " + range + ", such as \"1s\"");
    return;
  }
  const auto duration = ParseDuration(text->get());
  if (duration && *duration >= min && *duration <= max) {
    *value = *duration;
    return;
  }
  const std::string wanted =
      duration ? range : "a duration such as \"250ms\", \"1s\" or \"1h30m\"";
  AddError(node->source().begin, std::string(key) + " must be " + wanted +
                                     ", not " + Excerpt(text->get()));
}

std::optional<Located<std::string>> TableReader::ReadText(
    std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* text = node->as_string()) {
    return Located<std::string>{text->get(), node->source().begin};
  }
  AddTypeError(*node, key, "a string");
  return std::nullopt;
}

std::optional<std::vector<Located<std::string>>> TableReader::ReadTexts(
    std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    AddTypeError(*node, key, "an array of strings");
    return std::nullopt;
  }
  std::vector<Located<std::string>> texts;
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string()) {
      texts.push_back({text->get(), element.source().begin});
    } else {
      AddTypeError(element, key, "an array of strings only");
    }
  }
  if (texts.empty() && !array->empty()) return std::nullopt;
  return texts;
}

std::optional<std::vector<Located<double>>> TableReader::ReadNumbers(
    std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    AddTypeError(*node, key, "an array of numbers");
    return std::nullopt;
  }
  std::vector<Located<double>> numbers;
  for (const toml::node& element : *array) {
    if (const auto* number = element.as_floating_point()) {
      numbers.push_back({number->get(), element.source().begin});
    } else if (const auto* integer = element.as_integer()) {
      numbers.push_back(
          {static_cast<double>(integer->get()), element.source().begin});
    } else {
      AddTypeError(element, key, "an array of numbers only");
    }
  }
  if (numbers.empty() && !array->empty()) return std::nullopt;
  return numbers;
}

const toml::table* TableReader::ReadTable(std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) AddTypeError(*node, key, "a table");
  return node->as_table();
}

std::vector<const toml::table*> TableReader::ReadTables(std::string_view key) {
  const toml::node* const node = Find(key);
  std::vector<const toml::table*> tables;
  if (node == nullptr) return tables;
  const std::string wanted = "tables, each headed [[" + std::string(key) + "]]";
  const toml::array* const array = node->as_array();
  if (array == nullptr) {
    AddTypeError(*node, key, wanted);
    return tables;
  }
  for (const toml::node& element : *array) {
    if (element.is_table()) {
      tables.push_back(element.as_table());
    } else {
      AddTypeError(element, key, wanted);
    }
  }
  return tables;
}

void TableReader::ReportUnknownKeys() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_keys_.begin(), known_keys_.end(), key.str()) !=
        known_keys_.end()) {
      continue;
    }
    AddError(key.source().begin, "unknown key " + Excerpt(key.str()) + "; " +
                                     KeyAdvice(key.str(), known_keys_));
  }
}

}  // namespace echo_exporter
