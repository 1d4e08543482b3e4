#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {

/// The samples of an exposition: from the series as written, such as
/// `up{a="b"}`, to its value. A series that is there twice fails the test, as
/// Prometheus refuses it; what is odd otherwise comes out as an odd entry.
inline std::map<std::string, double> ParseSamples(std::string_view text) {
  std::map<std::string, double> samples;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t space = line.rfind(' ');
    const std::string series = line.substr(0, space);
    const double value = space == std::string::npos
                             ? 0
                             : std::strtod(line.c_str() + space + 1, nullptr);
    EXPECT_TRUE(samples.emplace(series, value).second) << "twice: " << series;
  }
  return samples;
}

/// What the recorder writes, as one text.
inline std::string Render(const ProbeRecorder& recorder,
                          const MetricsQuery& query,
                          const EchoTransportStats& transport = {}) {
  std::string text;
  recorder.Render(query, transport, [&text](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

inline std::string RenderText(const ProbeRecorder& recorder,
                              const EchoTransportStats& transport = {}) {
  return Render(recorder, {}, transport);
}

}  // namespace echo_exporter
