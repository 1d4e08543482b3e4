#pragma once

#include <vector>

#include "echo_exporter/config.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// Reads every `[[group]]` of the files into `config->groups` and
/// `config->pairs`. `defaults` holds the settings that a group does not set
/// itself; `config->sources` must be filled in already.
void ReadGroups(std::vector<DocumentReader>& roots, const GroupConfig& defaults,
                const ConfigPlatform& platform, ExporterConfig* config);

}  // namespace echo_exporter
