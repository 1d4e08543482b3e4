#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace echo_exporter {

/// A place in a text.
struct TextPosition {
  std::uint32_t line = 1;    ///< from 1
  std::uint32_t column = 1;  ///< from 1, in characters

  friend auto operator<=>(const TextPosition&, const TextPosition&) = default;
};

/// A sentence about a place in a text.
struct Finding {
  TextPosition position;
  std::string sentence;
};

/// Whether the byte continues a UTF-8 character.
constexpr bool ContinuesUtf8(char c) { return (c & 0xc0) == 0x80; }

/// Converts offsets in a text to positions, quickly when they ascend.
class PositionFinder {
 public:
  /// `begin` is where the first line begins.
  explicit PositionFinder(std::string_view text, std::size_t begin = 0)
      : text_(text), begin_(begin), at_(begin) {}

  TextPosition At(std::size_t offset);

 private:
  std::string_view text_;
  std::size_t begin_;
  std::size_t at_;
  TextPosition position_;
};

/// Collects the errors and warnings about one file, in any order.
///
/// Confined to one thread.
class Findings {
 public:
  /// `line_places` are where the lines of the text come from, if not from the
  /// file; messages name them then.
  explicit Findings(std::string_view file_name,
                    std::vector<std::string> line_places = {})
      : file_name_(file_name), line_places_(std::move(line_places)) {}

  void AddError(TextPosition position, std::string_view sentence);
  void AddWarning(TextPosition position, std::string_view sentence);

  std::size_t error_count() const { return errors_.size(); }
  const std::string& file_name() const { return file_name_; }
  /// "file:line:column", or where the line comes from.
  std::string PlaceText(TextPosition position) const;

  /// "file:line:column: sentence" each, in file order.
  std::vector<std::string> Errors() const { return InFileOrder(errors_); }
  std::vector<std::string> Warnings() const { return InFileOrder(warnings_); }

 private:
  std::vector<std::string> InFileOrder(std::vector<Finding> findings) const;

  std::string file_name_;
  std::vector<std::string> line_places_;
  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
};

}  // namespace echo_exporter
