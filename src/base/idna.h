#ifndef ECHO_EXPORTER_SRC_BASE_IDNA_H_
#define ECHO_EXPORTER_SRC_BASE_IDNA_H_

#include <optional>
#include <string>

namespace echo_exporter {

/// The ASCII form of an internationalised domain name in UTF-8, by the system's
/// library: each label in lower case, normalised, and in Punycode where it is
/// not ASCII. Absent when the name is not UTF-8, or not allowed. Use
/// AsciiHostName(), which checks what comes out. Thread-safe.
std::optional<std::string> ToIdnaAscii(const std::string& name);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_IDNA_H_
