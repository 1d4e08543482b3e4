#include "src/recorder/pair_families.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "echo_exporter/echo.h"

namespace echo_exporter {
namespace {

/// Adds the series of one pair to the current family.
class PairWriter {
 public:
  PairWriter(const PairSnapshot& pair, FamilyWriter& writer)
      : pair_(pair),
        writer_(writer),
        series_{.prepared = pair.labels.get(), .since = pair.stats.since()} {}

  void Add(PairFamily family, const PairShapes& shapes);

 private:
  void AddNumber(std::optional<std::uint64_t> number) {
    if (number) writer_.AddSample(series_, *number);
  }
  void AddSeconds(std::optional<Nanoseconds> duration) {
    if (!duration) return;
    writer_.AddSample(
        series_, ExactSeconds{static_cast<std::uint64_t>(duration->count())});
  }
  void AddOutcomes();
  void AddHistogram(const Histogram& histogram, const HistogramShape& shape,
                    const SampleValue& sum);
  void AddInfo();

  const PairSnapshot& pair_;
  FamilyWriter& writer_;
  Series series_;
};

void PairWriter::Add(PairFamily family, const PairShapes& shapes) {
  const PairStats& stats = pair_.stats;
  switch (family) {
    case PairFamily::kRequests:
      return AddNumber(stats.requests());
    case PairFamily::kOutcomes:
      return AddOutcomes();
    case PairFamily::kInFlight:
      return AddNumber(stats.in_flight());
    case PairFamily::kLateReplies:
      return AddNumber(stats.stray_replies(StrayReply::kLate));
    case PairFamily::kDuplicateReplies:
      return AddNumber(stats.stray_replies(StrayReply::kDuplicate));
    case PairFamily::kFlowRenewals:
      return AddNumber(stats.flow_renewals());
    case PairFamily::kRtt:
      series_.since = stats.rtt().since();
      return AddHistogram(stats.rtt(), shapes.rtt,
                          ExactSeconds{stats.rtt().sum()});
    case PairFamily::kLastRtt:
      return AddSeconds(stats.last_rtt());
    case PairFamily::kLastReply:
      return AddSeconds(stats.last_reply());
    case PairFamily::kJitter:
      return AddSeconds(stats.jitter());
    case PairFamily::kReplyTtl:
      return AddNumber(stats.reply_ttl());
    case PairFamily::kUp:
      if (stats.has_state()) AddNumber(stats.up());
      return;
    case PairFamily::kUpChanged:
      return AddSeconds(stats.up_changed());
    case PairFamily::kConsecutiveFailures:
      return AddNumber(stats.consecutive_failures());
    case PairFamily::kOutages:
      return AddNumber(stats.runs().outages());
    case PairFamily::kOutageSeconds:
      return AddSeconds(stats.runs().outage_time());
    case PairFamily::kRunLength:
      if (const Histogram* const lengths = stats.run_lengths()) {
        return AddHistogram(*lengths, shapes.run_lengths, lengths->sum());
      }
      return AddHistogram(shapes.no_runs, shapes.run_lengths, std::uint64_t{0});
    case PairFamily::kInterval:
      if (pair_.facts.traits.interval > Nanoseconds::zero()) {
        AddSeconds(pair_.facts.traits.interval);
      }
      return;
    case PairFamily::kResolved:
      if (pair_.facts.traits.has_name) AddNumber(pair_.facts.resolved);
      return;
    case PairFamily::kPairInfo:
      return AddInfo();
  }
}

void PairWriter::AddOutcomes() {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    const auto outcome = static_cast<EchoOutcome>(i);
    const std::uint64_t count = pair_.stats.outcomes(outcome);
    const bool always =
        outcome == EchoOutcome::kReply || outcome == EchoOutcome::kTimeout;
    if (count == 0 && !always) continue;
    const LabelView label{"outcome", EchoOutcomeName(outcome)};
    series_.labels = {&label, 1};
    writer_.AddSample(series_, count);
  }
}

void PairWriter::AddHistogram(const Histogram& histogram,
                              const HistogramShape& shape,
                              const SampleValue& sum) {
  writer_.AddHistogram(series_, histogram.Value(shape, sum));
}

void PairWriter::AddInfo() {
  if (!pair_.facts.route) return;
  const Route& route = *pair_.facts.route;
  const std::string source = route.source ? route.source->ToString() : "";
  const std::string destination = route.destination.ToString();
  const std::array<LabelView, 3> labels{
      {{"source_address", source},
       {"destination_address", destination},
       {"ip_version", route.destination.is_v4() ? "4" : "6"}}};
  series_.labels = labels;
  writer_.AddSample(series_, std::uint64_t{1});
}

}  // namespace

void WritePairFamilies(std::span<const PairSnapshot> pairs, PairFamilySet omit,
                       const PairShapes& shapes, FamilyWriter& writer,
                       PieceWriter* pieces) {
  for (std::size_t i = 0; i < kPairFamilies.size(); ++i) {
    if (omit[i]) continue;
    writer.BeginFamily(kPairFamilies[i]);
    for (const PairSnapshot& pair : pairs) {
      PairWriter(pair, writer).Add(static_cast<PairFamily>(i), shapes);
      if (pieces != nullptr && !pieces->FlushWhenLarge()) return;
    }
    while (writer.EndFamilyInPart()) {
      if (pieces != nullptr && !pieces->FlushWhenLarge()) return;
    }
  }
}

}  // namespace echo_exporter
