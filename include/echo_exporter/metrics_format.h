#pragma once

#include <cstdint>
#include <string_view>

namespace echo_exporter {

/// How metrics are written.
enum class MetricsFormat : std::uint8_t {
  kText,      ///< Prometheus's text format 0.0.4
  kProtobuf,  ///< messages io.prometheus.client.MetricFamily, each after its
              ///< length
};

/// The Content-Type of metrics in that format.
std::string_view ContentTypeOf(MetricsFormat format);

/// What a client prefers whose Accept header has this value (RFC 9110 section
/// 12.5.1); "" without one. As in Prometheus's own libraries, protobuf must be
/// named with its parameters `proto` and `encoding`: wildcards, other types and
/// what is malformed mean text. Never throws, whatever the input. Pure.
MetricsFormat ChooseMetricsFormat(std::string_view accept);

}  // namespace echo_exporter
