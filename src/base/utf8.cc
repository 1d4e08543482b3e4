#include "src/base/utf8.h"

#include <algorithm>

namespace echo_exporter {

std::size_t Utf8Length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (text.empty()) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

  // These four lead bytes restrict the next byte, which excludes overlong
  // forms, surrogates and code points above U+10FFFF.
  const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

std::string_view TakeUtf8(std::string_view* text) {
  const std::size_t length = Utf8Length(*text);
  const std::string_view character =
      length == 0 ? kReplacementCharacter : text->substr(0, length);
  text->remove_prefix(std::max<std::size_t>(length, 1));
  return character;
}

char32_t Utf8CodePoint(std::string_view text) {
  const std::size_t length = Utf8Length(text);
  const auto lead = static_cast<unsigned char>(text.front());
  if (length == 1) return lead;
  // The lead byte of two, three or four bytes contains five, four or three bits
  // of the code point.
  char32_t code_point = lead & (0x7FU >> length);
  for (const char c : text.substr(1, length - 1)) {
    code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return code_point;
}

std::string_view Utf8Prefix(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return text;
  // A character across the limit begins at most three bytes before it.
  for (std::size_t begin = max_size - std::min<std::size_t>(max_size, 3);
       begin < max_size; ++begin) {
    if (begin + Utf8Length(text.substr(begin)) > max_size) {
      return text.substr(0, begin);
    }
  }
  return text.substr(0, max_size);
}

bool HasControl(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length > 0 && IsControl(Utf8CodePoint(text))) return true;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return false;
}

}  // namespace echo_exporter
