#pragma once

#include <string>
#include <string_view>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// Reads what says which destinations a group has besides those of
/// `destinations`, and which of all it takes.
void ReadDiscovery(DocumentReader& table, const ConfigPlatform& platform,
                   GroupConfig* group);

/// `text` with the host name in the place of each "{hostname}".
std::string WithHostName(std::string text, std::string_view hostname);

}  // namespace echo_exporter
