#ifndef ECHO_EXPORTER_SRC_CONFIG_TEXT_ENCODING_H_
#define ECHO_EXPORTER_SRC_CONFIG_TEXT_ENCODING_H_

#include <string_view>

#include "src/config/findings.h"

namespace echo_exporter {

/// False, with an error added, when a text is in UTF-16 or UTF-32, with or
/// without a byte order mark, as some programs of Windows save it. Pure.
bool CheckEncoding(std::string_view text, Findings& findings);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_TEXT_ENCODING_H_
