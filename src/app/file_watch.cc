#include "src/app/file_watch.h"

#include <string>
#include <utility>

#include "src/base/file.h"

namespace echo_exporter {
namespace {

std::size_t HashOfFiles(const ConfigFiles& files) {
  std::string all;
  const auto add = [&all](const std::string& name, std::size_t hash) {
    all += name + '\n' + std::to_string(hash) + '\n';
  };
  add(files.main.path, HashOf(files.main.text));
  for (const auto& included : files.included) {
    if (!included.ok()) {
      add("", HashOf(included.error()));
      continue;
    }
    for (const ConfigFile& file : included.value()) {
      add(file.path, HashOf(file.text));
    }
  }
  return HashOf(all);
}

}  // namespace

FileWatch::FileWatch(std::function<ConfigFiles()> read)
    : read_(std::move(read)), content_(HashOfFiles(read_())) {}

std::optional<ConfigFiles> FileWatch::Look() {
  ConfigFiles files = read_();
  if (!content_.Look(HashOfFiles(files))) return std::nullopt;
  return files;
}

void FileWatch::MarkSeen() { content_.MarkSeen(HashOfFiles(read_())); }

}  // namespace echo_exporter
