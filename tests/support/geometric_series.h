#pragma once

#include <vector>

namespace echo_exporter {

/// From `first` on, each `factor` times the one before, all below `end`.
inline std::vector<double> GeometricSeries(double first, double end,
                                           double factor) {
  std::vector<double> result;
  double value = first;
  while (value < end) {
    result.push_back(value);
    value *= factor;
  }
  return result;
}

}  // namespace echo_exporter
