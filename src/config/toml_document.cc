#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// A configuration nests four deep. The parser is recursive, so this bound keeps
// hostile text from exhausting the stack.
#define TOML_MAX_NESTED_VALUES 8
// A text such as "[[[" or "[&" violates assertions of the parser, which become
// assumptions of the optimiser where NDEBUG is set (marzer/tomlplusplus issue
// 294). Without either, the parser's own error handling reports such a text.
#define TOML_ASSERT(expr) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "src/config/document.h"
#include "src/config/document_builder.h"
#include "src/config/toml_hazard.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;

constexpr std::string_view kNotToml = "not valid TOML: ";

TextPosition PositionOf(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

/// Converts toml++'s tree to a DocumentNode.
class TomlTree {
 public:
  explicit TomlTree(Findings& findings) : findings_(findings) {}

  /// `level` is 1 for the root. Values nested too deep are omitted, with an
  /// error added.
  DocumentNode Convert(const toml::node& node, std::size_t level) {
    DocumentNode result;
    result.position = PositionOf(node.source());
    if (const auto* const table = node.as_table()) {
      result.kind = Kind::kTable;
      if (!HasRoom(level, result.position)) return result;
      for (const auto& [key, value] : *table) {
        DocumentNode child = Convert(value, level + 1);
        child.key = key.str();
        child.key_position = PositionOf(key.source());
        result.children.push_back(std::move(child));
      }
    } else if (const auto* const array = node.as_array()) {
      result.kind = Kind::kArray;
      if (!HasRoom(level, result.position)) return result;
      for (const toml::node& element : *array) {
        result.children.push_back(Convert(element, level + 1));
      }
    } else {
      FillScalar(node, &result);
    }
    return result;
  }

 private:
  bool HasRoom(std::size_t level, TextPosition position) {
    if (level <= kMaxDocumentDepth) return true;
    findings_.AddError(position,
                       std::string(kNotToml).append(kTooDeepSentence));
    return false;
  }

  static void FillScalar(const toml::node& node, DocumentNode* result) {
    if (const auto* const text = node.as_string()) {
      result->kind = Kind::kText;
      result->text = text->get();
    } else if (const auto* const integer = node.as_integer()) {
      result->kind = Kind::kInteger;
      result->integer = integer->get();
      result->number = static_cast<double>(integer->get());
    } else if (const auto* const number = node.as_floating_point()) {
      result->kind = Kind::kFloat;
      result->number = number->get();
    } else if (const auto* const boolean = node.as_boolean()) {
      result->kind = Kind::kBoolean;
      result->boolean = boolean->get();
    } else {
      result->kind = Kind::kDateTime;
    }
  }

  Findings& findings_;
};

}  // namespace

std::optional<Document> ParseToml(std::string_view text, Findings& findings) {
  if (!CheckEncoding(text, findings)) return std::nullopt;
  if (const auto hazard = FindTomlHazard(text)) {
    findings.AddError(hazard->position,
                      std::string(kNotToml).append(hazard->sentence));
    return std::nullopt;
  }
  const std::size_t errors_before = findings.error_count();
  Document document;
  try {
    const toml::table root = toml::parse(text);
    document.root = TomlTree(findings).Convert(root, 1);
  } catch (const toml::parse_error& error) {
    findings.AddError(PositionOf(error.source()),
                      std::string(kNotToml).append(error.description()));
  }
  if (findings.error_count() != errors_before) return std::nullopt;
  return document;
}

}  // namespace echo_exporter
