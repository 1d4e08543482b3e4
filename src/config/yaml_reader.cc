#include "src/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <sstream>
#include <system_error>

#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

toml::source_position PositionOfMark(const YAML::Mark& mark) {
  const auto number = [](int from_zero) {
    return static_cast<toml::source_index>(std::max(from_zero, 0) + 1);
  };
  return {number(mark.line), number(mark.column)};
}

std::string_view TypeName(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return "a scalar";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return "nothing";
}

/// Remembers where the last document begins, and nothing else.
class DocumentStarts final : public YAML::EventHandler {
 public:
  const YAML::Mark& last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override { last_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  YAML::Mark last_;
};

/// Where a second document begins, if there is one. YAML::LoadAll() would tell
/// as well, but has no end on texts such as ",: e", which begin one document
/// after the other without taking anything in.
std::optional<YAML::Mark> FindSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) ||
      !parser.HandleNextDocument(starts)) {
    return std::nullopt;
  }
  return starts.last();
}

/// Plain scalars alone stand for numbers and truth values.
bool IsPlain(const YAML::Node& node) {
  return node.IsScalar() && node.Tag() == "?";
}

}  // namespace

std::optional<YAML::Node> ParseYaml(const std::string& text,
                                    Findings& findings) {
  constexpr std::string_view kNotYaml = "not valid YAML: ";
  try {
    if (const auto second = FindSecondDocument(text)) {
      findings.AddError(PositionOfMark(*second),
                        "there must be one YAML document in the file");
      return std::nullopt;
    }
    const YAML::Node document = YAML::Load(text);
    if (document.IsNull()) return YAML::Node(YAML::NodeType::Map);
    if (document.IsMap()) return document;
    findings.AddError(
        PositionOfMark(document.Mark()),
        "the file must hold a mapping, not " + std::string(TypeName(document)));
  } catch (const YAML::Exception& error) {
    findings.AddError(PositionOfMark(error.mark),
                      std::string(kNotYaml).append(error.msg));
  } catch (const std::exception& error) {
    findings.AddError({1, 1}, std::string(kNotYaml).append(error.what()));
  }
  return std::nullopt;
}

YamlReader::YamlReader(const YAML::Node& mapping, std::string subject,
                       Findings& findings)
    : position_(PositionOfMark(mapping.Mark())),
      subject_(std::move(subject)),
      findings_(findings) {
  for (const auto& pair : mapping) {
    const toml::source_position position = PositionOfMark(pair.first.Mark());
    if (!pair.first.IsScalar()) {
      AddError(position, "a key must be a string, not " +
                             std::string(TypeName(pair.first)));
      continue;
    }
    const std::string& key = pair.first.Scalar();
    if (const auto first = Find(key)) {
      AddError(position, Excerpt(key) + " is there twice; first on line " +
                             std::to_string(first->key.position.line));
      continue;
    }
    // What is not there has no place of its own.
    entries_.push_back(
        {{key, position},
         pair.second,
         pair.second.IsNull() ? position : PositionOfMark(pair.second.Mark())});
  }
}

void YamlReader::AddError(std::string_view sentence) {
  AddError(position_, sentence);
}

void YamlReader::AddError(toml::source_position position,
                          std::string_view sentence) {
  findings_.AddError(position, subject_ + std::string(sentence));
}

void YamlReader::AddWarning(toml::source_position position,
                            std::string_view sentence) {
  findings_.AddWarning(position, subject_ + std::string(sentence));
}

toml::source_position YamlReader::PositionOf(std::string_view key) const {
  const auto entry = Find(key);
  return entry ? entry->position : position_;
}

std::optional<YamlReader::Entry> YamlReader::Find(std::string_view key) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(),
                   [&](const Entry& e) { return e.key.value == key; });
  if (found == entries_.end()) return std::nullopt;
  return *found;
}

std::optional<YamlReader::Entry> YamlReader::Take(std::string_view key) {
  known_keys_.emplace_back(key);
  return Find(key);
}

// Values are never repeated in messages about types: one may be a secret that
// stands in the wrong place.
void YamlReader::AddTypeError(const Entry& entry, const YAML::Node& node,
                              std::string_view wanted) {
  AddError(node.IsNull() ? entry.position : PositionOfMark(node.Mark()),
           Excerpt(entry.key.value) + " must be " + std::string(wanted) +
               ", not " + std::string(TypeName(node)));
}

std::optional<Located<std::string>> YamlReader::TextOf(
    const Entry& entry, const YAML::Node& node, std::string_view wanted) {
  if (node.IsScalar()) {
    return Located<std::string>{node.Scalar(), PositionOfMark(node.Mark())};
  }
  AddTypeError(entry, node, wanted);
  return std::nullopt;
}

std::optional<bool> YamlReader::ReadBoolean(std::string_view key) {
  const auto entry = Take(key);
  if (!entry) return std::nullopt;
  bool value = false;
  // Also yes, no, on and off, as in Go's YAML.
  if (IsPlain(entry->value) &&
      YAML::convert<bool>::decode(entry->value, value)) {
    return value;
  }
  AddError(entry->position, std::string(key) + " must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> YamlReader::ReadInteger(std::string_view key,
                                                    std::int64_t min,
                                                    std::int64_t max) {
  const auto entry = Take(key);
  if (!entry) return std::nullopt;
  if (IsPlain(entry->value)) {
    const std::string& text = entry->value.Scalar();
    const char* const end = text.data() + text.size();
    std::int64_t value = 0;
    const auto [parsed, fault] = std::from_chars(text.data(), end, value);
    if (fault == std::errc() && parsed == end && value >= min && value <= max) {
      return value;
    }
  }
  AddError(entry->position, std::string(key) + " must be a whole number from " +
                                std::to_string(min) + " to " +
                                std::to_string(max));
  return std::nullopt;
}

std::optional<Located<std::string>> YamlReader::ReadText(std::string_view key) {
  const auto entry = Take(key);
  if (!entry) return std::nullopt;
  return TextOf(*entry, entry->value, "a string");
}

std::optional<std::vector<Located<std::string>>> YamlReader::ReadTexts(
    std::string_view key) {
  const auto entry = Take(key);
  if (!entry) return std::nullopt;
  if (!entry->value.IsSequence()) {
    AddTypeError(*entry, entry->value, "a list of strings");
    return std::nullopt;
  }
  std::vector<Located<std::string>> texts;
  for (const YAML::Node& item : entry->value) {
    if (auto text = TextOf(*entry, item, "a list of strings only")) {
      texts.push_back(*std::move(text));
    }
  }
  return texts;
}

std::optional<YAML::Node> YamlReader::ReadMapping(std::string_view key) {
  const auto entry = Take(key);
  if (!entry) return std::nullopt;
  if (entry->value.IsMap()) return entry->value;
  AddTypeError(*entry, entry->value, "a mapping");
  return std::nullopt;
}

std::vector<std::pair<Located<std::string>, Located<std::string>>>
YamlReader::ReadAllTexts() {
  std::vector<std::pair<Located<std::string>, Located<std::string>>> texts;
  for (const Entry& entry : entries_) {
    known_keys_.push_back(entry.key.value);
    if (auto text = TextOf(entry, entry.value, "a string")) {
      texts.emplace_back(entry.key, *std::move(text));
    }
  }
  return texts;
}

void YamlReader::ReportUnknownKeys() {
  for (const Entry& entry : entries_) {
    const std::string& key = entry.key.value;
    if (std::find(known_keys_.begin(), known_keys_.end(), key) ==
        known_keys_.end()) {
      AddError(entry.key.position, "unknown key " + Excerpt(key) + "; " +
                                       KeyAdvice(key, known_keys_));
    }
  }
}

}  // namespace echo_exporter
