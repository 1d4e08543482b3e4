#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "src/base/duration.h"
#include "src/config/config_sections.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxRttBuckets = 200;

void ReadRttBuckets(DocumentReader& metrics, std::vector<double>* buckets) {
  const auto bounds = metrics.ReadNumbers("rtt_buckets");
  if (!bounds) return;
  if (bounds->size() > kMaxRttBuckets) {
    metrics.AddError(metrics.PositionOf("rtt_buckets"),
                     "rtt_buckets must have at most " +
                         std::to_string(kMaxRttBuckets) + " numbers, not " +
                         std::to_string(bounds->size()));
    return;
  }
  buckets->clear();
  for (const auto& bound : *bounds) {
    const double lower = buckets->empty() ? 0 : buckets->back();
    if (!std::isfinite(bound.value) || bound.value <= lower) {
      metrics.AddError(bound.position,
                       "rtt_buckets must be finite numbers of seconds, the "
                       "first above 0 and each above the one before it");
      return;
    }
    buckets->push_back(bound.value);
  }
}

/// The names of the families that a configuration may leave out.
std::string FamiliesToOmit() {
  std::string names;
  for (std::size_t i = 0; i < kPairFamilies.size(); ++i) {
    if (!CanBeOmitted(static_cast<PairFamily>(i))) continue;
    names += (names.empty() ? "" : ", ") + std::string(kPairFamilies[i].name);
  }
  return names;
}

void ReadOmit(DocumentReader& metrics, PairFamilySet* omit) {
  const auto names = metrics.ReadTexts("omit");
  if (!names) return;
  for (const auto& name : *names) {
    std::size_t i = 0;
    while (i < kPairFamilies.size() && kPairFamilies[i].name != name.value) ++i;
    if (i < kPairFamilies.size() && CanBeOmitted(static_cast<PairFamily>(i))) {
      omit->set(i);
      continue;
    }
    metrics.AddError(name.position, "omit: " + Excerpt(name.value) +
                                        " cannot be left out; these families "
                                        "of pairs can: " +
                                        FamiliesToOmit());
  }
}

}  // namespace

std::vector<double> DefaultRttBuckets(Nanoseconds longest_timeout) {
  constexpr int kMost = 22;
  std::vector<double> buckets = {50e-6};
  while (buckets.size() < kMost &&
         buckets.back() < ToSeconds(longest_timeout)) {
    buckets.push_back(2 * buckets.back());
  }
  return buckets;
}

void ReadMetrics(DocumentReader& metrics, ExporterConfig* config) {
  HistogramOptions& histograms = config->histograms;
  ReadRttBuckets(metrics, &histograms.rtt_buckets);
  metrics.ReadNumberOrOff("native_factor", 1.01, 2, &histograms.native_factor);
  metrics.ReadInteger("native_max_buckets", 10, 1000,
                      &histograms.native_max_buckets);
  ReadOmit(metrics, &config->omit);
}

}  // namespace echo_exporter
