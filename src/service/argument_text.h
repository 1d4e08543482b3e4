#ifndef ECHO_EXPORTER_SRC_SERVICE_ARGUMENT_TEXT_H_
#define ECHO_EXPORTER_SRC_SERVICE_ARGUMENT_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace echo_exporter {

/// One argument as it stands in a command line of Windows, quoted where that is
/// needed, so that CommandLineToArgvW and the C runtime read it back as it is.
/// Any text may be an argument, but for NUL characters. Pure.
std::string QuoteArgument(std::string_view argument);

/// A command line: the arguments, quoted, with spaces in between. The first one
/// is a program, whose path can hold no quotation marks. Pure.
std::string JoinArguments(const std::vector<std::string>& arguments);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_ARGUMENT_TEXT_H_
