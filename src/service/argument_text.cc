#include "src/service/argument_text.h"

namespace echo_exporter {

// Backslashes are literal, except before a quotation mark, including the
// closing one, where two stand for one.
std::string QuoteArgument(std::string_view argument) {
  if (!argument.empty() &&
      argument.find_first_of(" \t\n\v\"") == std::string_view::npos) {
    return std::string(argument);
  }
  std::string text = "\"";
  std::size_t backslashes = 0;
  for (const char c : argument) {
    if (c == '\\') {
      ++backslashes;
    } else {
      if (c == '"') text.append(backslashes + 1, '\\');
      backslashes = 0;
    }
    text += c;
  }
  text.append(backslashes, '\\');
  return text + '"';
}

std::string JoinArguments(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    if (!text.empty()) text += ' ';
    // The path of a program is always quoted: Windows would try each part of an
    // unquoted path with spaces as a program.
    if (text.empty()) {
      text = '"' + argument + '"';
    } else {
      text += QuoteArgument(argument);
    }
  }
  return text;
}

}  // namespace echo_exporter
