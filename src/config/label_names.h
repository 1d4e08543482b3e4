#pragma once

#include <string>
#include <string_view>

namespace echo_exporter {

/// Why no label of a pair can have this name; empty when one can.
std::string LabelNameFault(std::string_view name);

/// Whether Prometheus adds it to every series it scrapes, and would rename
/// ours.
bool IsLabelOfPrometheus(std::string_view name);

}  // namespace echo_exporter
