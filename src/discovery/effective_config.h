#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/target_list.h"

namespace echo_exporter {

/// Whether the pairs of a group depend on more than the configuration.
bool IsDynamic(const GroupConfig& group);

/// A list that a group has.
struct ListInUse {
  std::size_t group = 0;             ///< of the configuration
  const TargetList* list = nullptr;  ///< never null
};

/// What a merge needs to know of the world.
struct Surroundings {
  std::string hostname;                  ///< of this machine
  std::vector<IpAddress> own_addresses;  ///< of its adapters
  /// The addresses of a name, as far as they are known.
  std::function<std::vector<IpAddress>(const std::string& name,
                                       Nanoseconds refresh)>
      addresses_of;
};

/// A configuration with what discovery has found.
struct EffectiveConfig {
  /// A group whose targets have settings of their own is there several times,
  /// with the same name.
  ExporterConfig config;
  /// Whether there would be more pairs than `max_pairs`; `config` is not
  /// complete then.
  bool too_many = false;
  /// Of each list, how many of its targets the group cannot have, and why, at
  /// most kMostRejections sentences.
  std::vector<std::uint64_t> rejected;
  std::vector<std::string> rejections;
  /// The same pair with other labels or settings: "first place and second
  /// place".
  std::vector<std::string> conflicts;
  /// Of each group of the configuration, in its order.
  std::vector<std::uint64_t> neighbours_skipped;
};

/// Adds to the groups of `file` the targets of their lists, each once: first
/// the group's own destinations, then `lists` in their order. Pure, but for
/// `addresses_of`.
EffectiveConfig Merge(const ExporterConfig& file,
                      const std::vector<ListInUse>& lists,
                      const Surroundings& surroundings);

}  // namespace echo_exporter
