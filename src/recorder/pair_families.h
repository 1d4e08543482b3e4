#pragma once

#include <memory>
#include <optional>
#include <span>

#include "echo_exporter/address_book.h"
#include "echo_exporter/family_writer.h"
#include "echo_exporter/pair_families.h"
#include "echo_exporter/probe_recorder.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/piece_writer.h"
#include "src/recorder/prepared_labels.h"

namespace echo_exporter {

/// What is known of a pair besides its echoes.
struct PairFacts {
  std::optional<Route> route;
  PairTraits traits;
  bool resolved = false;   ///< see ProbeRecorder::SetRoute()
  bool is_routed = false;  ///< whether that was called

  /// See PairStatus. An adapter without address is a loss, and thus an outage.
  bool IsUnresolved(bool in_outage) const {
    return is_routed && (!resolved || (!route && !in_outage));
  }
};

/// One pair at one moment.
struct PairSnapshot {
  std::shared_ptr<const PreparedLabels> labels;  ///< null: none are written
  PairStats stats;
  PairFacts facts;
};

/// Writes the families of `pairs` but those in `omit`: always in the same
/// order, the series in the order of `pairs`. `shapes`: those of their
/// histograms. Unless `pieces` is null, `writer` must write to its text, which
/// it passes on, and it may end the writing.
void WritePairFamilies(std::span<const PairSnapshot> pairs, PairFamilySet omit,
                       const PairShapes& shapes, FamilyWriter& writer,
                       PieceWriter* pieces);

}  // namespace echo_exporter
