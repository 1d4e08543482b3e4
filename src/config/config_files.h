#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "echo_exporter/config.h"
#include "src/config/document.h"
#include "src/config/document_reader.h"
#include "src/config/findings.h"

namespace echo_exporter {

struct ParsedFile {
  Findings findings;
  std::optional<Document> document = {};  ///< absent: not TOML
};

/// Parses the main file, which could be read, and each that it includes; the
/// readers of their roots are of those that are TOML. `parsed` must outlive
/// them.
void ParseFiles(const ConfigFiles& files, std::deque<ParsedFile>* parsed,
                std::vector<DocumentReader>* roots);

}  // namespace echo_exporter
