#ifndef ECHO_EXPORTER_SRC_CONFIG_CONFIG_DOCUMENT_H_
#define ECHO_EXPORTER_SRC_CONFIG_CONFIG_DOCUMENT_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A configuration nests four deep. The parser and the destructor of its tables
// recurse, so that this bound is what keeps hostile text from the stack's end.
#define TOML_MAX_NESTED_VALUES 8
// The parser asserts, and where NDEBUG is set tells the optimiser, what a text
// such as "[[[" makes untrue. Without either, its own error handling sees that.
#define TOML_ASSERT(expr) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Collects what is found wrong or odd in one file, in any order.
///
/// Confined to one thread.
class Findings {
 public:
  explicit Findings(std::string_view file_name) : file_name_(file_name) {}

  void AddError(toml::source_position position, std::string_view sentence);
  void AddWarning(toml::source_position position, std::string_view sentence);

  std::size_t error_count() const { return errors_.size(); }

  /// "file:line:column: sentence" each, in file order.
  std::vector<std::string> Errors() const { return InFileOrder(errors_); }
  std::vector<std::string> Warnings() const { return InFileOrder(warnings_); }

 private:
  struct Finding {
    toml::source_position position;
    std::string sentence;
  };

  std::vector<std::string> InFileOrder(std::vector<Finding> findings) const;

  std::string file_name_;
  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
};

/// "a string", "an integer" and so on.
std::string_view TypeName(const toml::node& node);

/// What may be written instead of an unknown key: the known one that is a slip
/// of the finger away, else all of them.
std::string KeyAdvice(std::string_view key, std::vector<std::string> known);

/// Parses TOML; absent, with one error added, when it is none.
std::optional<toml::table> ParseToml(std::string_view text, Findings& findings);

/// A value, and where it stands in the file.
template <typename T>
struct Located {
  T value;
  toml::source_position position;
};

/// Reads one table key by key with strict types. Reports what is wrong, and
/// leaves the variable alone then, as it does when the key is missing.
///
/// Confined to one thread; refers to the table and the findings.
class TableReader {
 public:
  /// `subject` begins every sentence about the table, as in "[web]: ".
  TableReader(const toml::table& table, std::string subject,
              Findings& findings);

  /// Adds a finding about the table itself, or about a place in it.
  void AddError(std::string_view sentence);
  void AddError(toml::source_position position, std::string_view sentence);
  void AddWarning(toml::source_position position, std::string_view sentence);
  /// Adds "`what` must be `wanted`, not <type of node>".
  void AddTypeError(const toml::node& node, std::string_view what,
                    std::string_view wanted);

  bool Has(std::string_view key) const { return table_.contains(key); }
  /// Of the key's value, or of the table when there is none.
  toml::source_position PositionOf(std::string_view key) const;

  void ReadBoolean(std::string_view key, bool* value);
  /// `min` and `max` belong to the range.
  template <std::integral T>
  void ReadInteger(std::string_view key, T min, T max, T* value) {
    std::int64_t number = 0;
    if (ReadInt64(key, static_cast<std::int64_t>(min),
                  static_cast<std::int64_t>(max), &number)) {
      *value = static_cast<T>(number);
    }
  }
  void ReadNumber(std::string_view key, double min, double max, double* value);
  void ReadDuration(std::string_view key, Nanoseconds min, Nanoseconds max,
                    Nanoseconds* value);
  std::optional<Located<std::string>> ReadText(std::string_view key);
  /// The elements of an array that are of the right type; each other one is
  /// an error. Absent when there is no array or none of it is right; empty
  /// when the array is.
  std::optional<std::vector<Located<std::string>>> ReadTexts(
      std::string_view key);
  std::optional<std::vector<Located<double>>> ReadNumbers(std::string_view key);
  /// Null when there is no table.
  const toml::table* ReadTable(std::string_view key);
  std::vector<const toml::table*> ReadTables(std::string_view key);

  /// Reports every key that none of the calls above asked for.
  void ReportUnknownKeys();

 private:
  const toml::node* Find(std::string_view key);
  bool ReadInt64(std::string_view key, std::int64_t min, std::int64_t max,
                 std::int64_t* value);

  const toml::table& table_;
  std::string subject_;
  Findings& findings_;
  std::vector<std::string> known_keys_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_CONFIG_DOCUMENT_H_
