#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/config.h"
#include "src/config/config_settings.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// From 50 us, doubling, to the first that is not below `longest_timeout`, and
/// at most 105 s: a local network and a satellite link each get several
/// buckets, and there are none that no reply can be in.
std::vector<double> DefaultRttBuckets(Nanoseconds longest_timeout);

/// Reads [metrics]. `rtt_buckets` remains as it is when the file has none.
void ReadMetrics(DocumentReader& metrics, ExporterConfig* config);

// `config->sources` must be filled in already for all that follows.

/// Reads every `[[group]]` of the files into `config->groups` and
/// `config->pairs`. `defaults` holds the settings that a group does not set
/// itself.
void ReadGroups(std::vector<DocumentReader>& roots, const GroupConfig& defaults,
                const ConfigPlatform& platform, ExporterConfig* config);

/// Reads `[modules.*]` of a file.
void ReadModules(DocumentReader& root, Definitions* names,
                 const ConfigPlatform& platform, ExporterConfig* config);

void ReadProbe(DocumentReader& probe, ExporterConfig* config);

// Parts of a group:

/// Reads what says which destinations a group has besides those of
/// `destinations`, and which of all it takes.
void ReadDiscovery(DocumentReader& table, const ConfigPlatform& platform,
                   GroupConfig* group);

/// Reads the labels of a group, or of a destination of a group whose labels are
/// read already.
void ReadLabels(DocumentReader& table, const ConfigPlatform& platform,
                const GroupConfig& group, Labels* labels);

/// An element of a group's `destinations`; its target is not checked yet.
struct DestinationItem {
  Located<std::string> target;
  std::optional<Located<std::string>> name = {};
  Labels labels = {};
};

std::vector<DestinationItem> ReadDestinationItems(
    DocumentReader& table, const ConfigPlatform& platform,
    const GroupConfig& group);

/// How many destinations the items stand for.
std::uint64_t CountDestinations(const std::vector<DestinationItem>& items);

/// Adds the destinations that the items stand for.
void AddDestinations(DocumentReader& table,
                     const std::vector<DestinationItem>& items,
                     GroupConfig* group);

/// `text` with the host name in the place of each "{hostname}".
std::string WithHostName(std::string text, std::string_view hostname);

}  // namespace echo_exporter
