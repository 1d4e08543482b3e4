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
        writer_(writer),
        series_{.prepared = pair.labels(), .since = pair.since()} {}

  void Add(PairFamily family, const PairShapes& shapes);

 private:
  void AddNumber(PairNumber number, std::size_t i = 0) {
    writer_.AddSample(series_, pair_.Number(number, i));
  }
  void AddNumberIfAny(PairNumber number) {
    if (const auto value = pair_.NumberIfAny(number)) {
      writer_.AddSample(series_, *value);
    }
  }
  void AddSeconds(std::uint64_t nanoseconds) {
    writer_.AddSample(series_, ExactSeconds{nanoseconds});
  }
  void AddSecondsIfAny(PairNumber number) {
    if (const auto value = pair_.NumberIfAny(number)) AddSeconds(*value);
  }
  void AddOutcomes();
  void AddHistogram(const Histogram& histogram, const HistogramShape& shape,
                    const SampleValue& sum);
  void AddInfo();

  PackedPairs::Pair& pair_;
  FamilyWriter& writer_;
  Series series_;
};

void PairWriter::Add(PairFamily family, const PairShapes& shapes) {
  switch (family) {
    case PairFamily::kRequests:
      return AddNumber(PairNumber::kRequests);
    case PairFamily::kOutcomes:
      return AddOutcomes();
    case PairFamily::kInFlight:
      return AddNumber(PairNumber::kInFlight);
    case PairFamily::kLateReplies:
      return AddNumber(PairNumber::kStrayReplies,
                       static_cast<std::size_t>(StrayReply::kLate));
    case PairFamily::kDuplicateReplies:
      return AddNumber(PairNumber::kStrayReplies,
                       static_cast<std::size_t>(StrayReply::kDuplicate));
    case PairFamily::kFlowRenewals:
      return AddNumber(PairNumber::kFlowRenewals);
    case PairFamily::kRtt: {
      const Histogram& rtt = pair_.Rtt();
      series_.since = rtt.since();
      return AddHistogram(rtt, shapes.rtt, ExactSeconds{rtt.sum()});
    }
    case PairFamily::kLastRtt:
      return AddSecondsIfAny(PairNumber::kLastRtt);
    case PairFamily::kLastReply:
      return AddSecondsIfAny(PairNumber::kLastReply);
    case PairFamily::kJitter:
      return AddSecondsIfAny(PairNumber::kJitter);
    case PairFamily::kReplyTtl:
      return AddNumberIfAny(PairNumber::kReplyTtl);
    case PairFamily::kUp:
      return AddNumberIfAny(PairNumber::kUp);
    case PairFamily::kUpChanged:
      return AddSecondsIfAny(PairNumber::kUpChanged);
    case PairFamily::kConsecutiveFailures:
      return AddNumber(PairNumber::kConsecutiveFailures);
    case PairFamily::kOutages:
      return AddNumber(PairNumber::kOutages);
    case PairFamily::kOutageSeconds:
      return AddSeconds(pair_.Number(PairNumber::kOutageTime));
    case PairFamily::kRunLength: {
      const Histogram& lengths = pair_.RunLengths();
      return AddHistogram(lengths, shapes.run_lengths, lengths.sum());
    }
    case PairFamily::kInterval:
      return AddSecondsIfAny(PairNumber::kInterval);
    case PairFamily::kResolved:
      return AddNumberIfAny(PairNumber::kResolved);
    case PairFamily::kPairInfo:
      return AddInfo();
  }
}

void PairWriter::AddOutcomes() {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    const auto outcome = static_cast<EchoOutcome>(i);
    const std::uint64_t count = pair_.Number(PairNumber::kOutcomes, i);
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
  const auto addresses = pair_.Addresses();
  if (!addresses) return;
  const std::string source =
      addresses->source ? addresses->source->ToString() : "";
  const std::string destination = addresses->destination.ToString();
  const std::array<LabelView, 3> labels{
      {{"source_address", source},
       {"destination_address", destination},
       {"ip_version", addresses->destination.is_v4() ? "4" : "6"}}};
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
    writer.WriteFamily(kPairFamilies[i], [&] {
      pairs.ForEach(shapes, [&](PackedPairs::Pair& pair) {
        PairWriter(pair, writer).Add(static_cast<PairFamily>(i), shapes);
        return pass_on();
      });
    });
  }
}

}  // namespace echo_exporter
