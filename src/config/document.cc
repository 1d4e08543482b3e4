#include "src/config/document.h"

#include <algorithm>
#include <array>

namespace echo_exporter {
namespace {

using namespace std::string_view_literals;

struct Beginning {
  std::string_view bytes;
  std::string_view encoding;
};
// The longer ones first. UTF-32 begins like UTF-16 where both have a mark.
constexpr std::array kMarks = {Beginning{"\xff\xfe\0\0"sv, "UTF-32"},
                               Beginning{"\0\0\xfe\xff"sv, "UTF-32"},
                               Beginning{"\xff\xfe"sv, "UTF-16"},
                               Beginning{"\xfe\xff"sv, "UTF-16"}};

/// Empty when the text may be UTF-8.
std::string_view ForeignEncoding(std::string_view text) {
  for (const Beginning& mark : kMarks) {
    if (text.starts_with(mark.bytes)) return mark.encoding;
  }
  // Without a mark: the first character, which is ASCII in these formats, has a
  // zero byte beside it.
  if (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0')) {
    return "UTF-16";
  }
  return {};
}

}  // namespace

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

bool CheckEncoding(std::string_view text, Findings& findings) {
  const std::string_view encoding = ForeignEncoding(text);
  if (encoding.empty()) return true;
  findings.AddError(
      {}, "the text is in " + std::string(encoding) + "; save it as UTF-8");
  return false;
}

}  // namespace echo_exporter
