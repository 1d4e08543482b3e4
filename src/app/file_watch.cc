#include "src/app/file_watch.h"

#include <functional>
#include <utility>

#include "src/base/file.h"

namespace echo_exporter {

FileWatch::FileWatch(std::string path)
    : path_(std::move(path)), seen_(Hash()) {}

bool FileWatch::Changed() {
  const std::optional<std::size_t> now = Hash();
  return std::exchange(seen_, now) != now;
}

std::optional<std::size_t> FileWatch::Hash() const {
  const auto text = ReadFile(path_);
  if (!text.ok()) return std::nullopt;
  return std::hash<std::string>()(text.value());
}

}  // namespace echo_exporter
