#include "src/app/file_watch.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
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
  // Not by iterators: they throw what read() keeps to itself as badbit, such as
  // the error of reading a folder.
  std::string text;
  std::array<char, 4096> piece;
  while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) return std::nullopt;
  return std::hash<std::string>()(text);
}

}  // namespace echo_exporter
