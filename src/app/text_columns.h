#pragma once

#include <string>
#include <string_view>

namespace echo_exporter {

/// One entry of a help text, for terminals of 80 characters: `term` indented by
/// two, and `description` in a column beside it, or below it when the term is
/// too long, with lines broken at spaces. Ends with a line feed. Both texts are
/// ASCII.
std::string TextColumns(std::string_view term, std::string_view description);

}  // namespace echo_exporter
