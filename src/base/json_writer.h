#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/json_quote.h"

namespace echo_exporter {

/// `value` with at most so many significant digits.
inline std::string DigitsOf(double value, int digits) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::general, digits);
  return {text.data(), end.ptr};
}

/// Writes JSON (RFC 8259) without spaces; the caller pairs Begin and End.
///
/// Confined to one thread.
class JsonWriter {
 public:
  /// Appends to `out`, which must outlive this.
  explicit JsonWriter(std::string* out) : out_(*out) {}

  /// '{' or '['.
  JsonWriter& Begin(char bracket) {
    Separate();
    out_ += bracket;
    is_first_ = true;
    return *this;
  }
  /// '}' or ']'.
  JsonWriter& End(char bracket) {
    out_ += bracket;
    is_first_ = false;
    return *this;
  }
  JsonWriter& Key(std::string_view name) {
    Value(name);
    out_ += ':';
    is_first_ = true;
    return *this;
  }

  JsonWriter& Null() { return Raw("null"); }
  JsonWriter& Value(std::string_view text) { return Raw(JsonQuote(text)); }
  JsonWriter& Value(std::same_as<bool> auto value) {
    return Raw(value ? "true" : "false");
  }
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) JsonWriter& Value(Number value) {
    return Raw(std::to_string(value));
  }
  /// With so many significant digits.
  JsonWriter& Value(const std::optional<double>& value, int digits = 3) {
    return value ? Raw(DigitsOf(*value, digits)) : Null();
  }
  JsonWriter& Value(const std::same_as<std::optional<std::string>> auto& text) {
    return text ? Value(std::string_view{*text}) : Null();
  }

  template <typename... Values>
  JsonWriter& Field(std::string_view name, const Values&... values) {
    Key(name);
    return Value(values...);
  }

 private:
  JsonWriter& Raw(std::string_view text) {
    Separate();
    out_ += text;
    return *this;
  }
  void Separate() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
  }

  std::string& out_;
  bool is_first_ = true;  ///< no comma before the next value
};

}  // namespace echo_exporter
