#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/result.h"

namespace echo_exporter {

/// The parameters of a URL's query (application/x-www-form-urlencoded), names
/// and values, in its order; a value may be any bytes. The error is a sentence
/// for the client. Never throws, whatever the input. Pure.
Result<std::vector<std::pair<std::string, std::string>>> ParseUrlQuery(
    std::string_view query);

/// Text of a client for a message: printable, shortened and in quotation marks.
std::string QuotedForClient(std::string_view text);

}  // namespace echo_exporter
