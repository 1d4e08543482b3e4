// libFuzzer target: a text as TOML, as YAML and as JSON, and as a target list.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/target_list.h"
#include "src/config/document.h"

namespace {

using echo_exporter::DocumentFormat;
using echo_exporter::DocumentNode;
using echo_exporter::Findings;
using echo_exporter::TextPosition;
using Kind = echo_exporter::DocumentNode::Kind;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// "f:<line>:<column>: <one line>".
bool IsFinding(std::string_view text) {
  return text.starts_with("f:") && text.find(": ") != std::string_view::npos &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return (c >= 0 && c < ' ') || c == '\x7f';
         });
}

/// The byte at each position of a text.
class PositionedText {
 public:
  explicit PositionedText(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    lines_.emplace_back();
    for (const char c : text) {
      if (c == '\n') {
        lines_.emplace_back();
      } else if ((c & 0xc0) != 0x80) {
        lines_.back() += c;
      }
    }
  }

  char At(TextPosition position) const {
    Require(position.line >= 1 && position.line <= lines_.size());
    const std::string& line = lines_[position.line - 1];
    Require(position.column >= 1 && position.column <= line.size());
    return line[position.column - 1];
  }

 private:
  std::vector<std::string> lines_;  // the first byte of each character
};

/// What a value of JSON begins with.
std::string_view BeginsWith(const DocumentNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "n";
    case Kind::kBoolean:
      return node.boolean ? "t" : "f";
    case Kind::kInteger:
    case Kind::kFloat:
      return "-0123456789";
    case Kind::kText:
      return "\"";
    case Kind::kArray:
      return "[";
    case Kind::kTable:
      return "{";
    case Kind::kDateTime:
      break;
  }
  return "";
}

/// Goes through the whole tree. The children of a table have different keys;
/// in JSON, everything is where the tree says.
void Check(const DocumentNode& node, std::size_t level, bool is_json,
           const PositionedText& text) {
  Require(level <= echo_exporter::kMaxDocumentDepth + 1);
  Require(node.position.line >= 1 && node.position.column >= 1);
  if (is_json) {
    Require(BeginsWith(node).find(text.At(node.position)) !=
            std::string_view::npos);
  }
  const bool is_table = node.kind == Kind::kTable;
  Require(is_table || node.kind == Kind::kArray || node.children.empty());
  std::vector<std::string_view> keys;
  for (const DocumentNode& child : node.children) {
    if (is_table) keys.push_back(child.key);
    if (is_table && is_json) Require(text.At(child.key_position) == '"');
    Check(child, level + 1, is_json, text);
  }
  std::sort(keys.begin(), keys.end());
  Require(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}

template <typename Parse>
void CheckFormat(DocumentFormat format, std::string_view text, Parse parse) {
  Findings findings("f");
  const auto document = parse(text, findings);
  const auto errors = findings.Errors();
  Require(document.has_value() == errors.empty());
  Require(std::all_of(errors.begin(), errors.end(), IsFinding));
  if (!document) return;
  Require(document->format == format);
  Check(document->root, 1, format == DocumentFormat::kJson,
        PositionedText(text));
}

void CheckTargetList(echo_exporter::TargetListFormat format,
                     std::string_view text) {
  const auto list = echo_exporter::ReadTargetList(text, "f", format, true);
  if (!list.ok()) {
    Require(IsFinding(list.error().message));
    return;
  }
  Require(std::ranges::all_of(list.value().rejections, IsFinding));
  for (const auto& target : list.value().targets) {
    Require(!target.destination.name.empty());
    Require(std::ranges::is_sorted(target.destination.labels));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckFormat(DocumentFormat::kToml, text, echo_exporter::ParseToml);
  CheckFormat(DocumentFormat::kYaml, text, [](auto t, Findings& findings) {
    return echo_exporter::ParseYaml(t, findings);
  });
  CheckFormat(DocumentFormat::kJson, text, [](auto t, Findings& findings) {
    return echo_exporter::ParseJson(t, findings);
  });
  CheckTargetList(echo_exporter::TargetListFormat::kJson, text);
  CheckTargetList(echo_exporter::TargetListFormat::kYaml, text);
  return 0;
}
