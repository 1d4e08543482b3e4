#ifndef ECHO_EXPORTER_SRC_RECORDER_TEXT_FORMAT_H_
#define ECHO_EXPORTER_SRC_RECORDER_TEXT_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "echo_exporter/family_writer.h"

namespace echo_exporter {

// The parts of the Prometheus text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/), for
// CreateTextFamilyWriter() and for PairExposition, which must be faster than
// that. Each function appends to `out`.

/// The lines at the beginning of a family.
void AppendFamilyHead(const Family& family, std::string* out);

/// As in `name="value"`. The value is escaped, and bytes that are not UTF-8
/// become U+FFFD, so that no value can break the format.
void AppendLabel(std::string_view name, std::string_view value,
                 std::string* out);

/// The label `le` of a bucket. Its text is part of the series' identity: the
/// shortest that is parsed as the same number, in the notation of Go's client
/// library.
void AppendBoundLabel(double upper_bound, std::string* out);

void AppendNumber(std::uint64_t value, std::string* out);

/// With 16 significant digits, one fewer than needed to distinguish all
/// numbers, so that 0.1 + 0.2 is written as 0.3.
void AppendNumber(double value, std::string* out);

/// Nanoseconds as seconds, exactly: a double cannot represent the last digits
/// of a large sum.
void AppendSeconds(std::uint64_t nanoseconds, std::string* out);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_TEXT_FORMAT_H_
