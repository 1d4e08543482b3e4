#include "src/config/document_reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <system_error>
#include <unordered_set>

#include "src/base/duration.h"
#include "src/base/file.h"
#include "src/base/number_text.h"
#include "src/base/utf8.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;

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

/// The name of an array of tables in the format.
std::string TablesText(DocumentFormat format, std::string_view header) {
  switch (format) {
    case DocumentFormat::kToml:
      return "an array of tables, each headed [[" + std::string(header) + "]]";
    case DocumentFormat::kYaml:
      return "a list of mappings";
    case DocumentFormat::kJson:
      return "an array of objects";
  }
  return "an array of tables";
}

bool IsNumber(const DocumentNode& node) {
  return node.kind == Kind::kInteger || node.kind == Kind::kFloat;
}

}  // namespace

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

DocumentReader::DocumentReader(const Document& document, Findings& findings)
    : DocumentReader(document, document.root, "", findings) {}

DocumentReader::DocumentReader(const Document& document,
                               const DocumentNode& table, std::string subject,
                               Findings& findings)
    : document_(document),
      table_(table),
      subject_(std::move(subject)),
      findings_(findings) {
  for (const Finding& fault : table_.faults) {
    AddError(fault.position, fault.sentence);
  }
}

DocumentReader DocumentReader::Enter(const DocumentNode& table,
                                     std::string subject) const {
  return DocumentReader(document_, table, std::move(subject), findings_);
}

void DocumentReader::AddError(std::string_view sentence) {
  AddError(table_.position, sentence);
}

void DocumentReader::AddError(TextPosition position,
                              std::string_view sentence) {
  findings_.AddError(position, subject_ + std::string(sentence));
}

void DocumentReader::AddWarning(TextPosition position,
                                std::string_view sentence) {
  findings_.AddWarning(position, subject_ + std::string(sentence));
}

void DocumentReader::AddTypeError(const DocumentNode& node,
                                  std::string_view what,
                                  std::string_view wanted) {
  AddError(node.position, std::string(what) + " must be " +
                              std::string(wanted) + ", not " +
                              std::string(TypeOf(node)));
}

void DocumentReader::AddValueError(const DocumentNode& node,
                                   std::string_view key,
                                   const std::string& wanted,
                                   std::string_view actual) {
  std::string sentence = std::string(key) + " must be " + wanted;
  if (!document_.may_hold_secrets) sentence.append(", not ").append(actual);
  AddError(node.position, sentence);
}

TextPosition DocumentReader::PositionOf(std::string_view key) const {
  const DocumentNode* const node = table_.Find(key);
  return node == nullptr ? table_.position : node->position;
}

const DocumentNode* DocumentReader::Take(std::string_view key) {
  known_keys_.emplace_back(key);
  return table_.Find(key);
}

const std::string* DocumentReader::TextOf(const DocumentNode& node) const {
  const bool scalar = node.kind == Kind::kBoolean || IsNumber(node);
  const bool any = document_.format == DocumentFormat::kYaml;
  return node.kind == Kind::kText || (any && scalar) ? &node.text : nullptr;
}

std::string DocumentReader::NameOf(std::string_view key) const {
  return document_.format == DocumentFormat::kToml ? std::string(key)
                                                   : Excerpt(key);
}

bool DocumentReader::SkipNull(std::string_view key) {
  const DocumentNode* const node = table_.Find(key);
  return node != nullptr && node->kind == Kind::kNull && Take(key) != nullptr;
}

void DocumentReader::ReadBoolean(std::string_view key, bool* value) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return;
  if (node->kind == Kind::kBoolean) {
    *value = node->boolean;
  } else {
    AddValueError(*node, key, "true or false", TypeOf(*node));
  }
}

std::optional<std::int64_t> DocumentReader::ReadInt64(std::string_view key,
                                                      std::int64_t min,
                                                      std::int64_t max) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return std::nullopt;
  const bool integer = node->kind == Kind::kInteger;
  if (integer && node->integer >= min && node->integer <= max) {
    return node->integer;
  }
  const std::string range = Range(std::to_string(min), std::to_string(max));
  if (document_.may_hold_secrets) {
    AddValueError(*node, key, "a whole number " + range, "");
  } else if (!integer) {
    AddTypeError(*node, key, "an integer " + range);
  } else {
    AddValueError(*node, key, range, std::to_string(node->integer));
  }
  return std::nullopt;
}

void DocumentReader::ReadNumber(std::string_view key, double min, double max,
                                double* value) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return;
  if (IsNumber(*node) && node->number >= min && node->number <= max) {
    *value = node->number;
    return;
  }
  AddValueError(
      *node, key, "a number " + Range(PlainText(min), PlainText(max)),
      IsNumber(*node) ? PlainText(node->number) : std::string(TypeOf(*node)));
}

void DocumentReader::ReadNumberOrOff(std::string_view key, double min,
                                     double max, std::optional<double>* value) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return;
  if (IsNumber(*node) && node->number >= min && node->number <= max) {
    *value = node->number;
  } else if (node->kind == Kind::kText && node->text == "off") {
    value->reset();
  } else {
    AddValueError(
        *node, key,
        "a number " + Range(PlainText(min), PlainText(max)) + " or \"off\"",
        IsNumber(*node)             ? PlainText(node->number)
        : node->kind == Kind::kText ? Excerpt(node->text)
                                    : std::string(TypeOf(*node)));
  }
}

void DocumentReader::ReadDuration(std::string_view key, Nanoseconds min,
                                  Nanoseconds max, Nanoseconds* value) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return;
  const std::string range = Range(FormatDuration(min), FormatDuration(max));
  const std::string* const text = TextOf(*node);
  if (text == nullptr) {
    AddTypeError(*node, key, "a duration " + range + ", such as \"1s\"");
    return;
  }
  const auto duration = ParseDuration(*text);
  if (duration && *duration >= min && *duration <= max) {
    *value = *duration;
    return;
  }
  AddValueError(
      *node, key,
      duration ? range : "a duration such as \"250ms\", \"1s\" or \"1h30m\"",
      Excerpt(*text));
}

std::optional<Located<std::string>> DocumentReader::ReadText(
    std::string_view key) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr) return std::nullopt;
  if (const std::string* const text = TextOf(*node)) {
    return Located<std::string>{*text, node->position};
  }
  AddTypeError(*node, NameOf(key), "a string");
  return std::nullopt;
}

std::optional<Located<std::string>> DocumentReader::RequireText(
    std::string_view key) {
  if (!Has(key)) AddError(std::string(key) + " is missing");
  return ReadText(key);
}

std::optional<std::vector<Located<std::string>>> DocumentReader::ReadTexts(
    std::string_view key) {
  const DocumentNode* const node = ReadArray(key, "strings");
  if (node == nullptr) return std::nullopt;
  std::vector<Located<std::string>> texts;
  for (const DocumentNode& element : node->children) {
    if (const std::string* const text = TextOf(element)) {
      texts.push_back({*text, element.position});
    } else {
      AddTypeError(element, NameOf(key), ArrayText("strings") + " only");
    }
  }
  if (texts.empty() && !node->children.empty()) return std::nullopt;
  return texts;
}

std::optional<std::vector<Located<double>>> DocumentReader::ReadNumbers(
    std::string_view key) {
  const DocumentNode* const node = ReadArray(key, "numbers");
  if (node == nullptr) return std::nullopt;
  std::vector<Located<double>> numbers;
  for (const DocumentNode& element : node->children) {
    if (IsNumber(element)) {
      numbers.push_back({element.number, element.position});
    } else {
      AddTypeError(element, NameOf(key), ArrayText("numbers") + " only");
    }
  }
  if (numbers.empty() && !node->children.empty()) return std::nullopt;
  return numbers;
}

std::string DocumentReader::ArrayText(std::string_view elements) const {
  return std::string(TypeName(document_.format, Kind::kArray)) + " of " +
         std::string(elements);
}

const DocumentNode* DocumentReader::ReadArray(std::string_view key,
                                              std::string_view elements) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr || node->kind == Kind::kArray) return node;
  AddTypeError(*node, NameOf(key), ArrayText(elements));
  return nullptr;
}

std::optional<Located<std::string>> DocumentReader::ReadPath(
    std::string_view key) {
  auto text = ReadText(key);
  if (!text) return std::nullopt;
  auto path = PathOf(key, *text);
  if (!path) return std::nullopt;
  text->value = *std::move(path);
  return text;
}

std::optional<std::string> DocumentReader::PathOf(
    std::string_view key, const Located<std::string>& path) {
  if (path.value.empty() || HasControl(path.value)) {
    AddError(path.position,
             std::string(key) + (path.value.empty()
                                     ? " must not be empty"
                                     : " must not contain control characters"));
    return std::nullopt;
  }
  std::error_code ignored;
  const auto beside = PathFromUtf8(findings_.file_name()).parent_path() /
                      PathFromUtf8(path.value);
  const auto absolute = std::filesystem::absolute(beside, ignored);
  return PathToUtf8(ignored ? beside : absolute);
}

std::vector<std::pair<Located<std::string>, Located<std::string>>>
DocumentReader::ReadAllTexts() {
  std::vector<std::pair<Located<std::string>, Located<std::string>>> texts;
  for (const DocumentNode& child : table_.children) {
    known_keys_.push_back(child.key);
    if (const std::string* const text = TextOf(child)) {
      texts.push_back(
          {{child.key, child.key_position}, {*text, child.position}});
    } else {
      AddTypeError(child, NameOf(child.key), "a string");
    }
  }
  return texts;
}

const DocumentNode* DocumentReader::ReadTable(std::string_view key) {
  const DocumentNode* const node = Take(key);
  if (node == nullptr || node->kind == Kind::kTable) return node;
  AddTypeError(*node, NameOf(key), TypeName(document_.format, Kind::kTable));
  return nullptr;
}

std::vector<const DocumentNode*> DocumentReader::ReadTables(
    std::string_view key, std::string_view header) {
  const DocumentNode* const node = Take(key);
  std::vector<const DocumentNode*> tables;
  if (node == nullptr) return tables;
  const std::string wanted =
      TablesText(document_.format, header.empty() ? key : header);
  if (node->kind != Kind::kArray) {
    AddTypeError(*node, key, wanted);
    return tables;
  }
  for (const DocumentNode& element : node->children) {
    if (element.kind == Kind::kTable) {
      tables.push_back(&element);
    } else {
      AddTypeError(element, key, wanted);
    }
  }
  return tables;
}

void DocumentReader::ReportUnknownKeys() {
  // A search of the list for each key takes minutes with some ten thousand.
  const std::unordered_set<std::string_view> known(known_keys_.begin(),
                                                   known_keys_.end());
  for (const DocumentNode& child : table_.children) {
    if (!known.contains(child.key)) {
      AddError(child.key_position, "unknown key " + Excerpt(child.key) + "; " +
                                       KeyAdvice(child.key, known_keys_));
    }
  }
}

}  // namespace echo_exporter
