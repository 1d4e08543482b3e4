#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "src/config/document.h"
#include "src/config/findings.h"

namespace echo_exporter {

/// Suggests a replacement for an unknown key: the known key that differs by a
/// typing error, else all of them.
std::string KeyAdvice(std::string_view key, std::vector<std::string> known);

/// A value and its position in the file.
template <typename T>
struct Located {
  T value;
  TextPosition position;
};

/// Reads one table key by key with strict types. A value that is wrong is
/// reported and the variable is left unchanged, as it is when the key is
/// missing.
///
/// Confined to one thread. The document and the findings must outlive it.
class DocumentReader {
 public:
  /// Reads the document's root, which has no keys unless it is a table.
  DocumentReader(const Document& document, Findings& findings);

  /// A reader of another table of the document. `subject` begins every
  /// sentence about it, as in "[web]: ".
  DocumentReader Enter(const DocumentNode& table, std::string subject) const;

  /// The same with `what` after this reader's subject.
  DocumentReader EnterPart(const DocumentNode& table,
                           std::string_view what) const {
    return Enter(table, subject_ + std::string(what));
  }

  /// Adds a finding about the table itself, or about a place in it.
  void AddError(std::string_view sentence);
  void AddError(TextPosition position, std::string_view sentence);
  void AddWarning(TextPosition position, std::string_view sentence);
  /// Adds "`what` must be `wanted`, not <type of node>".
  void AddTypeError(const DocumentNode& node, std::string_view what,
                    std::string_view wanted);
  /// The number of all errors added to the findings so far.
  std::size_t error_count() const { return findings_.error_count(); }

  bool Has(std::string_view key) const { return table_.Find(key) != nullptr; }
  /// The position of the key's value, or of the table when there is none.
  TextPosition PositionOf(std::string_view key) const;

  /// "file:line:column".
  std::string PlaceText(TextPosition position) const {
    return findings_.PlaceText(position);
  }

  /// Whether the value of the key is null, which counts as read then.
  bool SkipNull(std::string_view key);
  void ReadBoolean(std::string_view key, bool* value);
  /// `min` and `max` are allowed values.
  template <std::integral T>
  void ReadInteger(std::string_view key, std::int64_t min, std::int64_t max,
                   T* value) {
    const auto number = ReadInt64(key, min, max);
    if (number) *value = static_cast<T>(*number);
  }
  void ReadNumber(std::string_view key, double min, double max, double* value);
  /// The same, or the text "off", which makes it absent.
  void ReadNumberOrOff(std::string_view key, double min, double max,
                       std::optional<double>* value);
  void ReadDuration(std::string_view key, Nanoseconds min, Nanoseconds max,
                    Nanoseconds* value);
  /// In YAML any scalar, as written.
  std::optional<Located<std::string>> ReadText(std::string_view key);
  /// The same; it is an error when there is none.
  std::optional<Located<std::string>> RequireText(std::string_view key);
  /// The elements of an array that are of the right type; each other one is
  /// an error. Absent when there is no array or no element of the right type;
  /// empty when the array is empty.
  std::optional<std::vector<Located<std::string>>> ReadTexts(
      std::string_view key);
  std::optional<std::vector<Located<double>>> ReadNumbers(std::string_view key);
  /// The absolute path at `key`, which may be relative to the document's file.
  std::optional<Located<std::string>> ReadPath(std::string_view key);
  /// The same for what ReadText() or ReadTexts() has read at `key`.
  std::optional<std::string> PathOf(std::string_view key,
                                    const Located<std::string>& path);
  /// All keys of this table with their texts, whatever the keys are.
  std::vector<std::pair<Located<std::string>, Located<std::string>>>
  ReadAllTexts();
  /// Null when there is no table.
  const DocumentNode* ReadTable(std::string_view key);
  /// `header` names the tables in TOML, if not `key` does.
  std::vector<const DocumentNode*> ReadTables(std::string_view key,
                                              std::string_view header = {});
  /// Null, with an error added, when what is there is not an array: of
  /// `elements`, as in "strings".
  const DocumentNode* ReadArray(std::string_view key,
                                std::string_view elements);
  /// Calls `read` with a reader of the table at `key`, if there is one, and
  /// reports the keys that `read` did not read.
  template <typename Read>
  void ReadSection(std::string_view key, std::string subject, Read read) {
    const DocumentNode* const table = ReadTable(key);
    if (table == nullptr) return;
    DocumentReader section = Enter(*table, std::move(subject));
    read(section);
    section.ReportUnknownKeys();
  }

  /// Reports every key that none of the calls above has read.
  void ReportUnknownKeys();

 private:
  DocumentReader(const Document& document, const DocumentNode& table,
                 std::string subject, Findings& findings);

  const DocumentNode* Take(std::string_view key);
  std::optional<std::int64_t> ReadInt64(std::string_view key, std::int64_t min,
                                        std::int64_t max);
  /// Null when the node is not a text.
  const std::string* TextOf(const DocumentNode& node) const;
  std::string_view TypeOf(const DocumentNode& node) const {
    return TypeName(document_.format, node.kind);
  }
  /// "an array of strings" and the like, in the words of the format.
  std::string ArrayText(std::string_view elements) const;
  /// `key` as messages about types name it.
  std::string NameOf(std::string_view key) const;
  /// Adds "`key` must be `wanted`, not `actual`", without the latter in a
  /// document that may hold secrets.
  void AddValueError(const DocumentNode& node, std::string_view key,
                     const std::string& wanted, std::string_view actual);

  const Document& document_;
  const DocumentNode& table_;
  std::string subject_;
  Findings& findings_;
  std::vector<std::string> known_keys_;
};

}  // namespace echo_exporter
