#pragma once

#include <memory>
#include <optional>
#include <string>

#include "echo_exporter/family_writer.h"

namespace echo_exporter {

/// Writes the messages of Prometheus's io/prometheus/client/metrics.proto, each
/// after its length. Not by a library of protocol buffers, of which a few lines
/// are needed here.
///
/// The length of a family comes first: unless it is measured in advance, it is
/// in memory until its end.
std::unique_ptr<FamilyWriter> CreateProtobufFamilyWriter(
    std::string* out, std::optional<WallTime> since);

}  // namespace echo_exporter
