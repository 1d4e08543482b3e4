#pragma once

#include "echo_exporter/config.h"
#include "src/config/config_settings.h"
#include "src/config/document_reader.h"

namespace echo_exporter {

/// Reads `[modules.*]` of a file. `config->sources` must be filled in already.
void ReadModules(DocumentReader& root, Definitions* names,
                 const ConfigPlatform& platform, ExporterConfig* config);

/// Reads `[probe]`. `config->sources` must be filled in already.
void ReadProbe(DocumentReader& probe, ExporterConfig* config);

}  // namespace echo_exporter
