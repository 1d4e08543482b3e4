#include "src/app/file_watch.h"

#include <utility>

#include "echo_exporter/config.h"
#include "src/base/file.h"

namespace echo_exporter {

FileWatch::FileWatch(std::string path)
    : path_(std::move(path)),
      content_(HashOf(ReadFile(path_, kMaxConfigBytes))) {}

std::optional<Result<std::string>> FileWatch::Look() {
  auto text = ReadFile(path_, kMaxConfigBytes);
  if (!content_.Look(HashOf(text))) return std::nullopt;
  return text;
}

void FileWatch::MarkSeen() {
  content_.MarkSeen(HashOf(ReadFile(path_, kMaxConfigBytes)));
}

}  // namespace echo_exporter
