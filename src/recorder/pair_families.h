#pragma once

#include "echo_exporter/family_writer.h"
#include "echo_exporter/pair_families.h"
#include "src/recorder/packed_pairs.h"
#include "src/recorder/pair_stats.h"
#include "src/recorder/piece_writer.h"

namespace echo_exporter {

/// Writes the families of `pairs` but those in `omit`: always in the same
/// order, the series in the order of `pairs`. `shapes`: those of their
/// histograms. Unless `pieces` is null, `writer` must write to its text, which
/// it passes on, and it may end the writing.
void WritePairFamilies(const PackedPairs& pairs, PairFamilySet omit,
                       const PairShapes& shapes, FamilyWriter& writer,
                       PieceWriter* pieces);

}  // namespace echo_exporter
