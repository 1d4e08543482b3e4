#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/rare_text.h"

namespace echo_exporter {

/// Identifies one pair (source, destination) for the life of the process; never
/// reused for another.
using PairId = std::uint32_t;

/// Label names and values, in the order in which they are exposed.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Labels that many pairs share, stored once for all of them.
///
/// Immutable after construction, and cheap to copy.
class SharedLabels {
 public:
  SharedLabels() = default;
  // Implicit, so that plain labels can be passed as shared ones.
  // NOLINTNEXTLINE(google-explicit-constructor)
  SharedLabels(const Labels& labels)
      : labels_(labels.empty() ? nullptr
                               : std::make_shared<const Labels>(labels)) {}
  SharedLabels(std::initializer_list<Labels::value_type> labels)
      : SharedLabels(Labels(labels)) {}

  Labels::const_iterator begin() const {
    return labels_ ? labels_->begin() : Labels::const_iterator();
  }
  Labels::const_iterator end() const {
    return labels_ ? labels_->end() : Labels::const_iterator();
  }

  friend bool operator==(const SharedLabels& a, const SharedLabels& b) {
    return a.labels_ == b.labels_ ||
           std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::shared_ptr<const Labels> labels_;  ///< null: none
};

/// The labels that identify a pair's series. All but `extra` are the identity
/// of the pair: another value in one of them is another pair. Further labels
/// come from the group.
struct PairLabels {
  std::string group;
  std::string source;
  std::string destination;
  SharedLabels extra = {};
  /// Where each address of a name is a pair; else empty, and no label.
  RareText address = {};
  /// The pair is of a continuous module of /probe, whose name is `group`: part
  /// of the identity, too, as a group may have the same name.
  bool of_module = false;

  /// "group: source -> destination", and the address.
  std::string Text() const {
    return group + ": " + source + " -> " + destination +
           (address.empty() ? "" : " (" + address.text() + ")");
  }

  friend bool operator==(const PairLabels&, const PairLabels&) = default;
};

}  // namespace echo_exporter
