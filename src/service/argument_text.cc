#include "src/service/argument_text.h"

namespace echo_exporter {

// Backslashes mean themselves, but before a quotation mark, where two mean one:
// also before the closing mark.
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
    // The path of a program is quoted even without spaces: Windows would try
    // the parts of an unquoted one as programs, one after the other.
    if (text.empty()) {
      text = '"' + argument + '"';
    } else {
      text += QuoteArgument(argument);
    }
  }
  return text;
}

}  // namespace echo_exporter
