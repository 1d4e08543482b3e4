#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/pair_history.h"
#include "src/web/pair_list.h"

namespace echo_exporter {

/// What the status page says besides pairs.
struct StatusFacts {
  WallTime started;
  std::shared_ptr<const ExporterConfig> config;
  std::uint64_t history_bytes = 0;  ///< in use
  HistoryExtent extent;

  /// Of an hour and a day.
  bool is_shortened() const {
    return extent.fine < std::chrono::hours(1) ||
           extent.coarse < std::chrono::hours(24);
  }
};

/// Why there is less of a history than an hour and a day; empty if there is
/// not less.
std::string HistoryNote(const StatusFacts& facts);

/// The spark line of a pair's last hour: a character for each minute.
struct Spark {
  double max = 0;    ///< seconds
  std::string rtt;   ///< a level of kLevels, of `max`; ' ': no reply
  std::string lost;  ///< '0'..'9': tenths, rounded up; ' ': nothing was sent

  static constexpr std::string_view kLevels =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
};
Spark MakeSpark(const PairHour& hour);

// The responses of /api/v1, which docs/http-api.md describes. `history` is
// asked for spark lines and records.

std::string StatusJson(const PairList& list, const StatusFacts& facts);
std::string PairsJson(const PairList& list, const PairQuery& query,
                      PairHistory& history);
/// `timeout`: absent if it is not known.
std::string PairJson(const PairView& pair,
                     const std::optional<Nanoseconds>& timeout,
                     PairHistory& history);
std::string MatrixJson(const PairList& list, const PairQuery& query);
std::string ErrorJson(std::string_view sentence);

}  // namespace echo_exporter
