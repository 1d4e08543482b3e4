#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/config/document.h"

namespace echo_exporter {

inline constexpr std::string_view kTooDeepSentence =
    "nested more than 64 levels deep";
static_assert(kMaxDocumentDepth == 64);

/// Builds a tree from the events of a parser, in the order of the text. In a
/// table, keys and values alternate.
///
/// Confined to one thread.
class DocumentBuilder {
 public:
  explicit DocumentBuilder(DocumentFormat format,
                           std::size_t max_values = kMaxDocumentValues)
      : format_(format), max_values_(max_values) {}

  /// Whether a value with `levels` levels of arrays and tables may be opened or
  /// added here. The caller must not add a deeper one.
  bool HasRoomFor(std::size_t levels) const {
    return open_.size() + levels <= kMaxDocumentDepth;
  }
  /// Whether another value may be added.
  bool HasRoom() const { return values_ < max_values_; }
  /// What to say where it may not.
  std::string TooManySentence() const {
    return "more than " + std::to_string(max_values_) + " values";
  }
  /// Whether the next node is the key of a table.
  bool ExpectsKey() const;
  /// The position of the key, or else of the array, that the next node belongs
  /// to.
  TextPosition PositionOfParent() const;

  /// Begins an array or a table.
  void Open(DocumentNode::Kind kind, TextPosition position);
  /// Ends the innermost one, which becomes part of the tree when it is added.
  DocumentNode Close();
  /// Adds a whole value, or the key of the next one.
  void Add(DocumentNode node);

  /// Everything added, when nothing is open.
  DocumentNode TakeRoot() { return std::move(root_); }

 private:
  struct Level {
    DocumentNode node;
    std::optional<DocumentNode> key;
    std::unordered_map<std::string, std::uint32_t> key_lines;
  };

  void AddEntry(Level& level, DocumentNode value);

  DocumentFormat format_;
  std::size_t max_values_;
  std::vector<Level> open_;
  std::size_t values_ = 0;
  DocumentNode root_;
};

}  // namespace echo_exporter
