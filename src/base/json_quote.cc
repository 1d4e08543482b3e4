#include "src/base/json_quote.h"

#include <cstddef>

#include "src/base/utf8.h"

namespace echo_exporter {
namespace {

// Escapes an invisible character; each has a code point of at most four digits.
void AppendEscape(char32_t code_point, std::string* out) {
  constexpr std::string_view kShort = "\bb\tt\nn\ff\rr";
  constexpr std::string_view kHex = "0123456789abcdef";
  for (std::size_t i = 0; i < kShort.size(); i += 2) {
    if (code_point != static_cast<char32_t>(kShort[i])) continue;
    out->append(1, '\\').push_back(kShort[i + 1]);
    return;
  }
  out->append("\\u");
  for (const int shift : {12, 8, 4, 0}) {
    out->push_back(kHex[code_point >> shift & 0xF]);
  }
}

}  // namespace

std::string JsonQuote(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  quoted.push_back('"');
  while (!text.empty()) {
    const std::string_view character = TakeUtf8(&text);
    const char32_t code_point = Utf8CodePoint(character);
    if (IsInvisible(code_point)) {
      AppendEscape(code_point, &quoted);
    } else {
      if (code_point == '"' || code_point == '\\') quoted.push_back('\\');
      quoted.append(character);
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace echo_exporter
