#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace echo_exporter {

/// One argument for a command line of Windows, quoted if necessary, so that
/// CommandLineToArgvW and the C runtime parse it as the same text. Any text
/// without NUL characters may be an argument. Pure.
std::string QuoteArgument(std::string_view argument);

/// A command line: the arguments, quoted and separated by spaces. The first one
/// is a program, whose path cannot contain quotation marks. Pure.
std::string JoinArguments(const std::vector<std::string>& arguments);

}  // namespace echo_exporter
