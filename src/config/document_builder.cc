#include "src/config/document_builder.h"

#include <utility>

#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;

bool IsScalar(const DocumentNode& node) {
  return node.kind != Kind::kNull && node.kind != Kind::kArray &&
         node.kind != Kind::kTable;
}

}  // namespace

bool DocumentBuilder::ExpectsKey() const {
  return !open_.empty() && open_.back().node.kind == Kind::kTable &&
         !open_.back().key;
}

TextPosition DocumentBuilder::PositionOfParent() const {
  if (open_.empty()) return {};
  const Level& level = open_.back();
  return level.key ? level.key->position : level.node.position;
}

void DocumentBuilder::Open(Kind kind, TextPosition position) {
  Level& level = open_.emplace_back();
  level.node.kind = kind;
  level.node.position = position;
}

DocumentNode DocumentBuilder::Close() {
  DocumentNode node = std::move(open_.back().node);
  open_.pop_back();
  return node;
}

void DocumentBuilder::Add(DocumentNode node) {
  ++values_;
  if (open_.empty()) {
    root_ = std::move(node);
  } else if (open_.back().node.kind == Kind::kArray) {
    open_.back().node.children.push_back(std::move(node));
  } else if (!open_.back().key) {
    open_.back().key = std::move(node);
  } else {
    AddEntry(open_.back(), std::move(node));
  }
}

void DocumentBuilder::AddEntry(Level& level, DocumentNode value) {
  DocumentNode key = *std::exchange(level.key, std::nullopt);
  if (!IsScalar(key)) {
    level.node.faults.push_back(
        {key.position, "a key must be a string, not " +
                           std::string(TypeName(format_, key.kind))});
    return;
  }
  const auto [first, is_new] =
      level.key_lines.emplace(key.text, key.position.line);
  if (!is_new) {
    level.node.faults.push_back(
        {key.position, Excerpt(key.text) + " is a duplicate; first on line " +
                           std::to_string(first->second)});
    return;
  }
  value.key = std::move(key.text);
  value.key_position = key.position;
  level.node.children.push_back(std::move(value));
}

}  // namespace echo_exporter
