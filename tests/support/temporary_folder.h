#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "src/base/file.h"

namespace echo_exporter {

/// An empty folder for as long as it lives.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::random_device random;
    path_ = std::filesystem::temp_directory_path() /
            ("echo_exporter_test_" + std::to_string(random()) +
             std::to_string(random()));
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string Path(std::string_view name) const {
    return PathToUtf8(path_ / PathFromUtf8(name));
  }

  /// Writes a file as a whole, as careful programs do: beside the old one, and
  /// then in its place.
  std::string Write(std::string_view name, std::string_view text) const {
    std::string path = Path(name);
    const auto fresh = PathFromUtf8(path + ".new");
    std::ofstream(fresh, std::ios::binary) << text;
    std::filesystem::rename(fresh, PathFromUtf8(path));
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace echo_exporter
