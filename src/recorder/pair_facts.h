#pragma once

#include <optional>

#include "echo_exporter/address_book.h"
#include "echo_exporter/probe_recorder.h"

namespace echo_exporter {

/// What is known of a pair besides its echoes.
struct PairFacts {
  std::optional<Route> route;
  bool resolved = false;   ///< see ProbeRecorder::SetRoute()
  bool is_routed = false;  ///< whether that was called
  PairTraits traits;

  /// See PairStatus. An adapter without address is a loss, and thus an outage.
  bool IsUnresolved(bool in_outage) const {
    return is_routed && (!resolved || (!route && !in_outage));
  }
};

}  // namespace echo_exporter
