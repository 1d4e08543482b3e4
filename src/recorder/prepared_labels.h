#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "echo_exporter/family_writer.h"
#include "echo_exporter/pair.h"

namespace echo_exporter {

/// The labels of a pair as in each line of its series, escaped, without braces.
std::string RenderPairLabels(const PairLabels& labels);

/// The labels of a pair: as names and values, and rendered once for the text
/// format.
///
/// Immutable after construction.
struct PreparedLabels {
  explicit PreparedLabels(const PairLabels& pair_labels)
      : labels(pair_labels), text(RenderPairLabels(pair_labels)) {}

  const PairLabels labels;
  const std::string text;
};

/// Calls `use(name, value)` for each label, in the order in which they are
/// exposed.
template <typename Use>
void ForEachLabel(const PairLabels& labels, const Use& use) {
  use("group", labels.group);
  use("source", labels.source);
  use("destination", labels.destination);
  if (!labels.address.empty()) use("address", labels.address.text());
  for (const auto& [name, value] : labels.extra) use(name, value);
}

// The identity of a pair, as a key of maps: labels that stay in place.
struct IdentityHash {
  std::size_t operator()(const PairLabels* pair) const {
    std::size_t hash = 0;
    for (const std::string* name :
         {&pair->group, &pair->source, &pair->destination,
          &pair->address.text()}) {
      hash = hash * 31 + std::hash<std::string>()(*name);
    }
    return hash;
  }
};

struct SameIdentity {
  bool operator()(const PairLabels* a, const PairLabels* b) const {
    return a->destination == b->destination && a->source == b->source &&
           a->address == b->address && a->group == b->group &&
           a->of_module == b->of_module;
  }
};

}  // namespace echo_exporter
