#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/config/findings.h"

namespace echo_exporter {

/// One value of a document and everything in it.
struct DocumentNode {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kFloat,
    kText,
    kDateTime,
    kArray,
    kTable,  ///< a mapping of YAML, an object of JSON
  };

  /// The value of the key `name` in a table; null when there is none.
  const DocumentNode* Find(std::string_view name) const;

  Kind kind = Kind::kNull;
  bool boolean = false;
  TextPosition position;
  TextPosition key_position;  ///< of a value in a table
  std::string key;            ///< of a value in a table
  /// Of a kText; in YAML of any scalar, as written.
  std::string text;
  std::int64_t integer = 0;  ///< of a kInteger
  double number = 0;         ///< of a kInteger or a kFloat
  /// Of an array or a table. In a table no two have the same key.
  std::vector<DocumentNode> children;
  /// Of a table: YAML keys that are not text, and duplicate keys. They are not
  /// among the children.
  std::vector<Finding> faults;
};

enum class DocumentFormat : std::uint8_t { kToml, kYaml, kJson };

/// A whole text, parsed.
struct Document {
  DocumentFormat format = DocumentFormat::kToml;
  /// A value of the wrong type may be a secret in the wrong place: messages
  /// about its type do not repeat it.
  bool may_hold_secrets = false;
  DocumentNode root;
};

/// The deepest nesting that documents may have. Trees are copied and destroyed
/// recursively, so this keeps hostile text from exhausting the stack.
inline constexpr std::size_t kMaxDocumentDepth = 64;

/// The most values of a document in YAML or JSON: a tree takes a hundred times
/// the memory of text that is full of small ones.
inline constexpr std::size_t kMaxDocumentValues = 3'000'000;

/// "a string", "an integer" and so on, in the words of the format.
std::string_view TypeName(DocumentFormat format, DocumentNode::Kind kind);

/// False, with an error added, when a text is in UTF-16 or UTF-32, with or
/// without a byte order mark, as some programs of Windows save it. Pure.
bool CheckEncoding(std::string_view text, Findings& findings);

// Each parses a text; the result is absent, with an error added, when the text
// is not of the format or nested too deep. A tree takes up to some hundred
// times the memory of its text. Thread-safe.

/// The root is a table. Children of tables are in the order of their keys.
std::optional<Document> ParseToml(std::string_view text, Findings& findings);

/// At most one document; the root is null when there is none. Only plain
/// scalars are numbers or booleans, which are also spelled yes, no, on and off,
/// as in Go's YAML. Aliases are expanded, up to some megabytes. A null value
/// has the position of its key or list, since it may not be written at all.
/// May hold secrets.
std::optional<Document> ParseYaml(std::string_view text, Findings& findings,
                                  std::size_t max_values = kMaxDocumentValues);

/// JSON as in RFC 8259, without any extension; a byte order mark is skipped,
/// and a duplicate key in an object is an error.
std::optional<Document> ParseJson(std::string_view text, Findings& findings,
                                  std::size_t max_values = kMaxDocumentValues);

}  // namespace echo_exporter
