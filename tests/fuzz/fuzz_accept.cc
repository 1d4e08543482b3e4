// libFuzzer target: the value of an Accept header.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "echo_exporter/metrics_format.h"

namespace {

using echo_exporter::ChooseMetricsFormat;
using echo_exporter::MetricsFormat;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string accept(reinterpret_cast<const char*>(data), size);
  const MetricsFormat format = ChooseMetricsFormat(accept);
  std::string lower = accept;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  for (const std::string_view named :
       {"application/vnd.google.protobuf", "delimited",
        "io.prometheus.client.metricfamily"}) {
    if (lower.find(named) == std::string::npos) {
      Require(format == MetricsFormat::kText);
    }
  }
  // A range that matches nothing here changes nothing, and what is preferred
  // stays so before anything that is less.
  Require(ChooseMetricsFormat("image/png," + accept) == format);
  const std::string text = "text/plain;version=0.0.4,";
  if (format == MetricsFormat::kText) {
    Require(ChooseMetricsFormat(text + accept) == format);
  }
  return 0;
}
