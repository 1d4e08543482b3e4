#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/pair_history.h"

namespace echo_exporter {

/// A pair as PairHistory::Look() tells of it.
inline PairView MakeView(const std::string& group, const std::string& source,
                         const std::string& destination,
                         PairState state = PairState::kUp) {
  static PairId next_id = 0;
  PairView view{.state = state};
  view.status.id = next_id++;
  view.status.labels = std::make_shared<const PairLabels>(
      PairLabels{group, source, destination, {}});
  if (state != PairState::kUnresolved) {
    view.status.route = Route{std::nullopt, *IpAddress::Parse("192.0.2.77"), 0};
  }
  return view;
}

/// A history of pairs that a test makes up.
class FakePairHistory final : public PairHistory {
 public:
  void OnResult(PairId pair, const EchoResult&) noexcept override {
    results.push_back(pair);
  }
  void OnOutcome(const PairOutcome&) override {}
  void SetSettings(const HistorySettings&) noexcept override {}
  void Start() override {}
  void Stop() override {}
  std::vector<PairView> Look() override {
    ++looks;
    return views;
  }
  std::vector<PairHour> LastHours(std::span<const PairId> pairs) override {
    return std::vector<PairHour>(pairs.size(), hour);
  }
  std::optional<PairRecord> RecordOf(PairId) override { return record; }
  HistoryExtent Extent() override { return extent; }
  std::uint64_t MemoryInUse() override { return 1234; }

  std::vector<PairView> views;
  PairHour hour{};
  PairRecord record;
  HistoryExtent extent{std::chrono::hours(1), std::chrono::hours(24)};
  int looks = 0;
  std::vector<PairId> results;  ///< of these pairs
};

}  // namespace echo_exporter
