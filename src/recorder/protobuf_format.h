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
/// A family is in memory until its end, because its length comes first.
std::unique_ptr<FamilyWriter> CreateProtobufFamilyWriter(
    std::string* out, std::optional<WallTime> since);

}  // namespace echo_exporter
