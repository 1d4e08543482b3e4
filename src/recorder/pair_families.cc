#include "src/recorder/pair_families.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "echo_exporter/echo.h"

namespace echo_exporter {
namespace {

/// Adds the series of one pair to the current family.
class PairWriter {
 public:
  PairWriter(PackedPairs::Pair& pair, FamilyWriter& writer)
      : pair_(pair),
        numbers_(pair.numbers()),
        writer_(writer),
        series_{.prepared = pair.labels(),
                .since = WallTime(WallTime::duration(numbers_.since))} {}

  void Add(PairFamily family, const PairShapes& shapes);

 private:
  void AddNumber(std::optional<std::uint64_t> number) {
    if (number) writer_.AddSample(series_, *number);
  }
  void AddSeconds(std::optional<std::uint64_t> nanoseconds) {
    if (nanoseconds) writer_.AddSample(series_, ExactSeconds{*nanoseconds});
  }
  void AddStrayReplies(StrayReply kind) {
    AddNumber(numbers_.stray_replies[static_cast<std::size_t>(kind)]);
  }
  void AddOutcomes();
  void AddHistogram(const Histogram& histogram, const HistogramShape& shape,
                    const SampleValue& sum);
  void AddInterval();
  void AddInfo();

  PackedPairs::Pair& pair_;
  const PairNumbers& numbers_;
  FamilyWriter& writer_;
  Series series_;
};

void PairWriter::Add(PairFamily family, const PairShapes& shapes) {
  switch (family) {
    case PairFamily::kRequests:
      return AddNumber(numbers_.requests);
    case PairFamily::kOutcomes:
      return AddOutcomes();
    case PairFamily::kInFlight:
      return AddNumber(numbers_.in_flight);
    case PairFamily::kLateReplies:
      return AddStrayReplies(StrayReply::kLate);
    case PairFamily::kDuplicateReplies:
      return AddStrayReplies(StrayReply::kDuplicate);
    case PairFamily::kFlowRenewals:
      return AddNumber(numbers_.flow_renewals);
    case PairFamily::kRtt: {
      const Histogram& rtt = pair_.Rtt();
      series_.since = rtt.since();
      return AddHistogram(rtt, shapes.rtt, ExactSeconds{rtt.sum()});
    }
    case PairFamily::kLastRtt:
      return AddSeconds(numbers_.last_rtt);
    case PairFamily::kLastReply:
      return AddSeconds(numbers_.last_reply);
    case PairFamily::kJitter:
      return AddSeconds(numbers_.jitter);
    case PairFamily::kReplyTtl:
      return AddNumber(numbers_.reply_ttl);
    case PairFamily::kUp:
      return AddNumber(numbers_.up);
    case PairFamily::kUpChanged:
      return AddSeconds(numbers_.up_changed);
    case PairFamily::kConsecutiveFailures:
      return AddNumber(numbers_.consecutive_failures);
    case PairFamily::kOutages:
      return AddNumber(numbers_.outages);
    case PairFamily::kOutageSeconds:
      return AddSeconds(numbers_.outage_time);
    case PairFamily::kRunLength: {
      const Histogram& lengths = pair_.RunLengths();
      return AddHistogram(lengths, shapes.run_lengths, lengths.sum());
    }
    case PairFamily::kInterval:
      return AddInterval();
    case PairFamily::kResolved:
      if (pair_.facts().traits.has_name) AddNumber(pair_.facts().resolved);
      return;
    case PairFamily::kPairInfo:
      return AddInfo();
  }
}

void PairWriter::AddOutcomes() {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    const auto outcome = static_cast<EchoOutcome>(i);
    const std::uint64_t count = numbers_.outcomes[i];
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

void PairWriter::AddInterval() {
  const Nanoseconds interval = pair_.facts().traits.interval;
  if (interval > Nanoseconds::zero()) {
    AddSeconds(static_cast<std::uint64_t>(interval.count()));
  }
}

void PairWriter::AddInfo() {
  if (!pair_.facts().route) return;
  const Route& route = *pair_.facts().route;
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

void WritePairFamilies(const PackedPairs& pairs, PairFamilySet omit,
                       const PairShapes& shapes, FamilyWriter& writer,
                       PieceWriter* pieces) {
  bool wanted = true;
  const auto pass_on = [&] {
    wanted = pieces == nullptr || pieces->FlushWhenLarge();
    return wanted;
  };
  for (std::size_t i = 0; wanted && i < kPairFamilies.size(); ++i) {
    if (omit[i]) continue;
    writer.BeginFamily(kPairFamilies[i]);
    pairs.ForEach(shapes, [&](PackedPairs::Pair& pair) {
      PairWriter(pair, writer).Add(static_cast<PairFamily>(i), shapes);
      return pass_on();
    });
    while (wanted && writer.EndFamilyInPart()) pass_on();
  }
}

}  // namespace echo_exporter
