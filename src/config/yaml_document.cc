#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "src/base/number_text.h"
#include "src/config/document.h"
#include "src/config/document_builder.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;

/// The limit of all bytes that anchors and aliases stand for. Without it, ten
/// lines, each with ten aliases of the line before, could exhaust the memory.
constexpr std::size_t kMaxAliasBytes = 16'000'000;

TextPosition PositionOfMark(const YAML::Mark& mark) {
  const auto number = [](int from_zero) {
    return static_cast<std::uint32_t>(std::max(from_zero, 0)) + 1;
  };
  return {number(mark.line), number(mark.column)};
}

/// Finds the type of a plain scalar: a number, a boolean or text.
void ResolvePlain(DocumentNode* node) {
  if (const auto integer = ParseNumber<std::int64_t>(node->text)) {
    node->kind = Kind::kInteger;
    node->integer = *integer;
    node->number = static_cast<double>(*integer);
  } else if (const auto number = ParseNumber<double>(node->text);
             number && std::isfinite(*number)) {
    node->kind = Kind::kFloat;
    node->number = *number;
  } else if (YAML::convert<bool>::decode(YAML::Node(node->text),
                                         node->boolean)) {
    node->kind = Kind::kBoolean;
  }
}

/// The approximate size of a tree in bytes, and its levels of lists and
/// mappings.
struct Extent {
  std::size_t bytes = 0;
  std::size_t levels = 0;
};

Extent ExtentOf(const DocumentNode& node) {
  Extent extent{sizeof node + node.key.size() + node.text.size(), 0};
  for (const DocumentNode& child : node.children) {
    const Extent inner = ExtentOf(child);
    extent.bytes += inner.bytes;
    extent.levels = std::max(extent.levels, inner.levels);
  }
  if (node.kind == Kind::kArray || node.kind == Kind::kTable) ++extent.levels;
  return extent;
}

/// Whether a value is what the key "<<" may have: a mapping, or a list of them.
bool IsMergeable(const DocumentNode& node) {
  return node.kind == Kind::kTable ||
         (node.kind == Kind::kArray &&
          std::ranges::all_of(node.children, [](const DocumentNode& child) {
            return child.kind == Kind::kTable;
          }));
}

/// Gives a mapping with the key "<<" the entries of what that has, as far as
/// it has none with their keys, the first of them before the others. A part of
/// YAML 1.1, which Prometheus reads.
void Merge(DocumentNode* table) {
  const auto found =
      std::ranges::find(table->children, "<<", &DocumentNode::key);
  if (found == table->children.end() || !IsMergeable(*found)) return;
  DocumentNode merged = std::move(*found);
  table->children.erase(found);
  std::unordered_set<std::string> keys;
  for (const DocumentNode& child : table->children) keys.insert(child.key);
  const auto take_from = [&](DocumentNode& other) {
    for (DocumentNode& child : other.children) {
      if (keys.insert(child.key).second) {
        table->children.push_back(std::move(child));
      }
    }
    std::ranges::move(other.faults, std::back_inserter(table->faults));
  };
  if (merged.kind == Kind::kTable) {
    take_from(merged);
  } else {
    std::ranges::for_each(merged.children, take_from);
  }
}

/// Builds the tree of one document. Exceeding a limit throws an exception,
/// which stops the parser.
class YamlTree final : public YAML::EventHandler {
 public:
  explicit YamlTree(std::size_t max_values)
      : builder_(DocumentFormat::kYaml, max_values) {}

  /// Where the document begins.
  TextPosition start() const { return start_; }
  DocumentNode TakeRoot() { return builder_.TakeRoot(); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    start_ = PositionOfMark(mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    DocumentNode node;
    node.position = builder_.ExpectsKey() ? PositionOfMark(mark)
                                          : builder_.PositionOfParent();
    Add(mark, anchor, std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw YAML::ParserException(mark, "an alias to a value that contains it");
    }
    const Anchored& anchored = found->second;
    RequireRoom(mark, anchored.extent.levels);
    Charge(mark, anchored.extent.bytes);
    builder_.Add(anchored.node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    DocumentNode node;
    node.kind = Kind::kText;
    node.text = value;
    node.position = PositionOfMark(mark);
    if (tag == "?") ResolvePlain(&node);
    Add(mark, anchor, std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Kind::kArray, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Open(Kind::kTable, mark, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Anchored {
    DocumentNode node;
    Extent extent;
  };
  struct Start {
    YAML::Mark mark;
    YAML::anchor_t anchor;
  };

  void Open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    RequireRoom(mark, 1);
    starts_.push_back({mark, anchor});
    builder_.Open(kind, PositionOfMark(mark));
  }

  void Close() {
    const Start start = starts_.back();
    starts_.pop_back();
    DocumentNode node = builder_.Close();
    if (node.kind == Kind::kTable) Merge(&node);
    Add(start.mark, start.anchor, std::move(node));
  }

  void Add(const YAML::Mark& mark, YAML::anchor_t anchor, DocumentNode node) {
    if (anchor != YAML::NullAnchor) {
      const Extent extent = ExtentOf(node);
      Charge(mark, extent.bytes);
      anchors_.insert_or_assign(anchor, Anchored{node, extent});
    }
    if (!builder_.HasRoom()) {
      throw YAML::ParserException(mark, builder_.TooManySentence());
    }
    builder_.Add(std::move(node));
  }

  void RequireRoom(const YAML::Mark& mark, std::size_t levels) const {
    if (builder_.HasRoomFor(levels)) return;
    throw YAML::ParserException(mark, std::string(kTooDeepSentence));
  }

  void Charge(const YAML::Mark& mark, std::size_t bytes) {
    alias_bytes_ += bytes;
    if (alias_bytes_ <= kMaxAliasBytes) return;
    throw YAML::ParserException(mark, "anchors and aliases expand to too much");
  }

  DocumentBuilder builder_;
  TextPosition start_;
  std::vector<Start> starts_;  // of the open lists and mappings
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  std::size_t alias_bytes_ = 0;
};

}  // namespace

std::optional<Document> ParseYaml(std::string_view text, Findings& findings,
                                  std::size_t max_values) {
  constexpr std::string_view kNotYaml = "not valid YAML: ";
  if (!CheckEncoding(text, findings)) return std::nullopt;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    YamlTree tree(max_values);
    YamlTree second(max_values);
    // At most two: texts such as ",: e" begin one document after another
    // without end, because the parser makes no progress.
    if (parser.HandleNextDocument(tree) && parser.HandleNextDocument(second)) {
      findings.AddError(second.start(),
                        "the file must contain only one YAML document");
      return std::nullopt;
    }
    return Document{DocumentFormat::kYaml, true, tree.TakeRoot()};
  } catch (const YAML::Exception& error) {
    findings.AddError(PositionOfMark(error.mark),
                      std::string(kNotYaml).append(error.msg));
  } catch (const std::exception& error) {
    findings.AddError({}, std::string(kNotYaml).append(error.what()));
  }
  return std::nullopt;
}

}  // namespace echo_exporter
