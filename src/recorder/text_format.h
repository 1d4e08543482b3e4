#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "echo_exporter/family_writer.h"

namespace echo_exporter {

/// Writes the Prometheus text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
/// Not prometheus-cpp's TextSerializer, because pairs are many: for 2,000 of
/// them with 20 buckets each, tests/bench/render_bench.cc measures 143 ms and
/// 6.7 kB per pair for that and its Registry, 4 ms and 0.6 kB for this; under
/// Wine 120 ms and 10 ms (g++ 12 -O2, two cores).
std::unique_ptr<FamilyWriter> CreateTextFamilyWriter(std::string* text);

// Its parts; each appends to `out`.

/// As in `name="value"`. The value is escaped, and bytes that are not UTF-8
/// become U+FFFD, so that no value can break the format.
void AppendLabel(std::string_view name, std::string_view value,
                 std::string* out);

void AppendNumber(std::uint64_t value, std::string* out);

/// With 16 significant digits, one fewer than needed to distinguish all
/// numbers, so that 0.1 + 0.2 is written as 0.3.
void AppendNumber(double value, std::string* out);

}  // namespace echo_exporter
