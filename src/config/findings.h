#ifndef ECHO_EXPORTER_SRC_CONFIG_FINDINGS_H_
#define ECHO_EXPORTER_SRC_CONFIG_FINDINGS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
  explicit Findings(std::string_view file_name) : file_name_(file_name) {}

  void AddError(TextPosition position, std::string_view sentence);
  void AddWarning(TextPosition position, std::string_view sentence);

  std::size_t error_count() const { return errors_.size(); }
  const std::string& file_name() const { return file_name_; }
  /// "file:line:column".
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
  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_FINDINGS_H_
