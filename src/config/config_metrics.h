#pragma once

#include <vector>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// From 50 us, doubling, to the first that is not below `longest_timeout`, and
/// at most 105 s: a local network and a satellite link each get several
/// buckets, and there are none that no reply can be in.
std::vector<double> DefaultRttBuckets(Nanoseconds longest_timeout);

/// Reads [metrics]. `rtt_buckets` remains as it is when the file has none.
void ReadMetrics(DocumentReader& metrics, ExporterConfig* config);

}  // namespace echo_exporter
