#pragma once

#include <string>

#include "src/base/number_text.h"
#include "src/config/document.h"

namespace echo_exporter {

/// "line:column".
inline std::string PositionText(TextPosition position) {
  return std::to_string(position.line) + ':' + std::to_string(position.column);
}

/// A tree in one line with all positions, as in
/// 1:1{a@1:3=1:8[1:9 1, 1:12 "x"]}.
inline std::string TreeText(const DocumentNode& node) {
  using Kind = DocumentNode::Kind;
  const std::string position = PositionText(node.position);
  std::string inner;
  for (const DocumentNode& child : node.children) {
    if (!inner.empty()) inner += ", ";
    if (node.kind == Kind::kTable) {
      inner += child.key + '@' + PositionText(child.key_position) + '=';
    }
    inner += TreeText(child);
  }
  switch (node.kind) {
    case Kind::kNull:
      return position + " null";
    case Kind::kBoolean:
      return position + (node.boolean ? " true" : " false");
    case Kind::kInteger:
      return position + ' ' + std::to_string(node.integer);
    case Kind::kFloat:
      return position + " float " + NumberText(node.number);
    case Kind::kText:
      return position + " \"" + node.text + '"';
    case Kind::kDateTime:
      return position + " date";
    case Kind::kArray:
      return position + '[' + inner + ']';
    case Kind::kTable:
      return position + '{' + inner + '}';
  }
  return "";
}

/// Either the tree or all errors, of a file named "f", one after the other.
template <typename Parse>
std::string ParseToText(Parse parse, std::string_view text) {
  Findings findings("f");
  const auto document = parse(text, findings);
  if (document) return TreeText(document->root);
  std::string errors;
  for (const std::string& error : findings.Errors()) {
    errors += (errors.empty() ? "" : "\n") + error;
  }
  return errors;
}

}  // namespace echo_exporter
