#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// What a target's labels set instead of its group: see GroupConfig.
struct TargetSettings {
  std::optional<Nanoseconds> interval;        ///< __echo_interval__
  std::optional<Nanoseconds> timeout;         ///< __echo_timeout__
  std::optional<std::uint16_t> payload_size;  ///< __echo_payload_size__
  std::string source;                         ///< __echo_source__; empty: none

  friend auto operator<=>(const TargetSettings&,
                          const TargetSettings&) = default;
};

/// One target of a list.
struct ListedTarget {
  DestinationConfig destination;
  TargetSettings settings;
  std::uint32_t line = 1;  ///< where it is in the list
  std::uint32_t column = 1;
};

/// A target list in the format of Prometheus's file_sd and http_sd.
struct TargetList {
  std::string name;                   ///< of its file, or its URL
  std::vector<ListedTarget> targets;  ///< in the order of the text
  /// Why targets are not among them, "name:line:column: sentence", and how many
  /// are not; at most kMostRejections are told.
  std::vector<std::string> rejections;
  std::uint64_t rejected = 0;
};

inline constexpr std::size_t kMostRejections = 10;

/// The largest text of a list.
inline constexpr std::size_t kMaxTargetListBytes =
    std::size_t{64} * 1024 * 1024;

enum class TargetListFormat : std::uint8_t { kJson, kYaml };

/// Reads a list: an array of groups, which have `targets` and `labels` and no
/// other key. A list without any valid target is an error, except for "[]".
/// `strip_port`: see FileDiscoveryConfig. An error is "name:line:column:
/// sentence". Never throws but std::bad_alloc. Thread-safe.
Result<TargetList> ReadTargetList(std::string_view text, std::string_view name,
                                  TargetListFormat format, bool strip_port);

}  // namespace echo_exporter
