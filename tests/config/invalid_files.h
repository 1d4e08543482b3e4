#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "tests/support/source_file.h"

namespace echo_exporter {

/// The paths from the root, without extension, of the files in `folder` that
/// have the extension.
inline std::set<std::string> FilesWithExtension(const std::string& folder,
                                                const std::string& extension) {
  std::set<std::string> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SourcePath(folder))) {
    if (entry.path().extension() == extension) {
      paths.insert(folder + '/' + entry.path().stem().string());
    }
  }
  return paths;
}

}  // namespace echo_exporter
