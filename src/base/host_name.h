#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace echo_exporter {

/// True for names that may be looked up: dot-separated labels of 1 to 63 ASCII
/// letters, digits, "-" and "_", none of which begins or ends with "-" (RFC
/// 1123 section 2.1, and the underscore of many local networks), at most 253
/// bytes, a trailing dot allowed. False when the last label is a number, as in
/// "1.2.3" or "0x7f.1": resolvers parse that as an address in an old notation,
/// and it is usually a typing error.
bool IsHostName(std::string_view text);

/// The name to look up for a host name that may be internationalised, in UTF-8:
/// "xn--bcher-kva.example" for "b\u00fccher.example" (IDNA 2008), and what
/// IsHostName() accepts as it is. Absent for anything else.
std::optional<std::string> AsciiHostName(std::string_view text);

/// The ASCII form of an internationalised domain name in UTF-8, by the system's
/// library: each label in lower case, normalised, and in Punycode where it is
/// not ASCII. Absent when the name is not UTF-8, or not allowed. Use
/// AsciiHostName(), which checks what comes out. Thread-safe.
std::optional<std::string> ToIdnaAscii(const std::string& name);

/// With ASCII letters in lower case, as names are compared.
std::string LowerCase(std::string text);

/// The name of this machine, in lower case, as the system has it: with a domain
/// only if that is part of it. "localhost" when there is none.
std::string OwnHostName();

}  // namespace echo_exporter
