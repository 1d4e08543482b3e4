#include "src/app/file_watch.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <utility>

namespace echo_exporter {

FileWatch::FileWatch(std::string path)
    : path_(std::move(path)), seen_(Hash()) {}

bool FileWatch::Changed() {
  const std::optional<std::size_t> now = Hash();
  return std::exchange(seen_, now) != now;
}

std::optional<std::size_t> FileWatch::Hash() const {
  std::ifstream stream(
      std::filesystem::path(std::u8string(path_.begin(), path_.end())),
      std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) return std::nullopt;
  return std::hash<std::string>()(text);
}

}  // namespace echo_exporter
