#pragma once

#include <functional>
#include <string_view>

#include "echo_exporter/metrics_options.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// What the query of a request to /metrics asks for: `group=NAME`, any number
/// of times, the pairs of these groups alone; `pairs=only` the families of
/// pairs alone; `pairs=none` those of the exporter itself alone; nothing: all.
/// Any other parameter, value or combination is an error with a sentence for
/// the client, and so is a group that `has_group` does not know. Pure.
Result<MetricsQuery> ParseMetricsQuery(
    std::string_view query,
    const std::function<bool(std::string_view name)>& has_group);

}  // namespace echo_exporter
