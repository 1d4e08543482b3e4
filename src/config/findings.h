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
  struct Finding {
    TextPosition position;
    std::string sentence;
  };

  std::vector<std::string> InFileOrder(std::vector<Finding> findings) const;

  std::string file_name_;
  std::vector<std::string> line_places_;
  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
};

}  // namespace echo_exporter
