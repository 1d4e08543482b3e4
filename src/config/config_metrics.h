#ifndef ECHO_EXPORTER_SRC_CONFIG_CONFIG_METRICS_H_
#define ECHO_EXPORTER_SRC_CONFIG_CONFIG_METRICS_H_

#include <vector>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// From 50 us, doubling, to 26 s: a local network and a satellite link each get
/// several buckets.
std::vector<double> DefaultRttBuckets();

/// Reads [metrics].
void ReadMetrics(DocumentReader& metrics, ExporterConfig* config);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_CONFIG_METRICS_H_
