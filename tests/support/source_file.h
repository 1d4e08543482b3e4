#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Without a build that says where the sources are, tests run from their root.
#ifndef ECHO_EXPORTER_SOURCE_DIR
#define ECHO_EXPORTER_SOURCE_DIR "."
#endif

namespace echo_exporter {

/// A file of the source tree by its path from the root. Under Wine the root
/// may be known by its Unix path, which is on drive Z whatever the current
/// drive is.
inline std::filesystem::path SourcePath(const std::string& path) {
  const std::string root = ECHO_EXPORTER_SOURCE_DIR;
  if (std::filesystem::exists(root + '/' + path)) return root + '/' + path;
  return "Z:" + root + '/' + path;
}

inline std::string ReadSourceFile(const std::string& path) {
  std::ifstream stream(SourcePath(path), std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace echo_exporter
