#include "src/config/document.h"

#include <algorithm>

namespace echo_exporter {

const DocumentNode* DocumentNode::Find(std::string_view name) const {
  const auto found = std::find_if(
      children.begin(), children.end(),
      [name](const DocumentNode& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view TypeName(DocumentFormat format, DocumentNode::Kind kind) {
  using Kind = DocumentNode::Kind;
  const bool yaml = format == DocumentFormat::kYaml;
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kArray:
      return yaml ? "a list" : "an array";
    case Kind::kTable:
      if (yaml) return "a mapping";
      return format == DocumentFormat::kJson ? "an object" : "a table";
    case Kind::kBoolean:
      return yaml ? "a scalar" : "a boolean";
    case Kind::kInteger:
      return yaml ? "a scalar" : "an integer";
    case Kind::kFloat:
      return yaml ? "a scalar" : "a float";
    case Kind::kText:
      return yaml ? "a scalar" : "a string";
    case Kind::kDateTime:
      return "a date or time";
  }
  return "null";
}

}  // namespace echo_exporter
