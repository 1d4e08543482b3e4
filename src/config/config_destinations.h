#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// An element of a group's `destinations`; its target is not checked yet.
struct DestinationItem {
  Located<std::string> target;
  std::optional<Located<std::string>> name = {};
  Labels labels = {};
};

/// Reads the labels of a group, or of a destination of a group whose labels are
/// read already.
void ReadLabels(DocumentReader& table, const ConfigPlatform& platform,
                const GroupConfig& group, Labels* labels);

std::vector<DestinationItem> ReadDestinationItems(
    DocumentReader& table, const ConfigPlatform& platform,
    const GroupConfig& group);

/// How many destinations the items stand for.
std::uint64_t CountDestinations(const std::vector<DestinationItem>& items);

/// Adds the destinations that the items stand for.
void AddDestinations(DocumentReader& table,
                     const std::vector<DestinationItem>& items,
                     GroupConfig* group);

}  // namespace echo_exporter
