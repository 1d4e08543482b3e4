#include "src/config/toml_hazard.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace echo_exporter {
namespace {

constexpr int kMaxDots = 256;
constexpr std::string_view kNotAscii =
    "a non-ASCII character outside of strings and comments";
constexpr std::string_view kAfterBackslash =
    "a line-ending backslash before a non-ASCII character";
constexpr std::string_view kLongKey = "a key with too many parts";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kWhitespace = " \t\n\v\f\r";

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool IsIn(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

/// Scans a text token by token and distinguishes keys from values. It agrees
/// with the parser up to the first error, where the parser stops.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (text_.starts_with(kByteOrderMark)) {
      text_.remove_prefix(kByteOrderMark.size());
    }
  }

  std::optional<Finding> Run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        if (!SkipString()) return Here(kAfterBackslash);
      } else if (in_value_ && !IsIn("[]{},", c) && !IsIn(kWhitespace, c)) {
        if (!SkipWord()) return Here(kNotAscii);
      } else {
        if (!IsAscii(c)) return Here(kNotAscii);
        if (c == '.' && ++dots_ > kMaxDots) return Here(kLongKey);
        PassPunctuation(c);
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  void PassPunctuation(char c) {
    if (IsIn("\n=,[{", c)) dots_ = 0;
    if (c == '=') {
      in_value_ = true;
    } else if (c == '\n') {
      in_value_ = !open_.empty() && in_value_;
    } else if (c == ',') {
      in_value_ = open_.ends_with('[');
    } else if ((c == '[' || c == '{') && in_value_) {
      open_ += c;
      in_value_ = c == '[';
    } else if ((c == ']' || c == '}') && !open_.empty()) {
      open_.pop_back();
      in_value_ = true;
    }
  }

  /// Moves past a value such as a number, or to a hazard in it and returns
  /// false. The parser reads ahead to the end of the value before it checks
  /// it; a quotation mark inside does not begin a string.
  bool SkipWord() {
    while (at_ < text_.size() && !IsIn("]},#", text_[at_]) &&
           !IsIn(kWhitespace, text_[at_])) {
      if (!IsAscii(text_[at_])) return false;
      ++at_;
    }
    return true;
  }

  /// Moves past the string that begins here, or to a hazard in it and returns
  /// false.
  bool SkipString() {
    const char quote = text_[at_];
    const bool multi_line = CountQuotes(quote) >= 3;
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        if (!SkipEscape(multi_line)) return false;
      } else if (c == '\n' && !multi_line) {
        return true;  // the parser reports it
      } else if (c != quote) {
        ++at_;
      } else if (!multi_line) {
        ++at_;
        return true;
      } else {
        // Up to two quotes that belong to the text may precede the closing
        // three.
        const std::size_t quotes = CountQuotes(quote);
        at_ += quotes;
        if (quotes >= 3) return true;
      }
    }
    return true;
  }

  /// Moves past the escape that begins at a backslash, or returns false at a
  /// hazard. In a multi-line string, the parser tests whether the character
  /// after the backslash and any whitespace is itself whitespace.
  bool SkipEscape(bool multi_line) {
    const std::size_t escaped = ++at_;
    if (multi_line) {
      at_ = std::min(text_.find_first_not_of(kWhitespace, at_), text_.size());
      if (at_ < text_.size() && !IsAscii(text_[at_])) return false;
    }
    if (at_ == escaped && at_ < text_.size()) ++at_;
    return true;
  }

  /// The number of consecutive quotes here, at most five.
  std::size_t CountQuotes(char quote) const {
    const std::string_view quotes = text_.substr(at_, 5);
    return std::min(quotes.find_first_not_of(quote), quotes.size());
  }

  Finding Here(std::string_view sentence) const {
    return {PositionFinder(text_).At(at_), std::string(sentence)};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  // the "[" and "{" of the values around this place
  bool in_value_ = false;
  int dots_ = 0;  // in the current key
};

}  // namespace

std::optional<Finding> FindTomlHazard(std::string_view text) {
  return Scanner(text).Run();
}

}  // namespace echo_exporter
