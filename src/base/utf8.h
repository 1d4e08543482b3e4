#pragma once

#include <cstddef>
#include <string_view>

namespace echo_exporter {

/// U+FFFD, which replaces each byte that does not belong to a character.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

/// Length in bytes, 1 .. 4, of the UTF-8 character (RFC 3629) at the beginning
/// of `text`; 0 when there is none. Overlong forms, surrogates and code points
/// above U+10FFFF are not characters.
std::size_t Utf8Length(std::string_view text);

/// Removes the UTF-8 character at the beginning of `text`, which is not empty,
/// and returns it; U+FFFD for a byte that does not belong to one.
std::string_view TakeUtf8(std::string_view* text);

/// The code point of the character at the beginning of `text`, which must be
/// there.
char32_t Utf8CodePoint(std::string_view text);

/// The longest prefix of at most `max_size` bytes that does not split a
/// character. Bytes that do not belong to a character are kept.
std::string_view Utf8Prefix(std::string_view text, std::size_t max_size);

/// A control character of ASCII or of Latin-1: U+0000 .. U+001F and
/// U+007F .. U+009F.
constexpr bool IsControl(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F);
}

/// An invisible character that breaks lines or controls a terminal: a control
/// character, a line or paragraph separator, or what changes the direction of
/// text (U+061C, U+200E .. U+200F, U+2028 .. U+202E, U+2066 .. U+2069).
constexpr bool IsInvisible(char32_t code_point) {
  return IsControl(code_point) || code_point == 0x061C ||
         (code_point >= 0x200E && code_point <= 0x200F) ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||
         (code_point >= 0x2066 && code_point <= 0x2069);
}

/// Whether `text` contains a control character.
bool HasControl(std::string_view text);

}  // namespace echo_exporter
