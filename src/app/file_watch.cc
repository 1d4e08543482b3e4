#include "src/app/file_watch.h"

#include <functional>
#include <utility>

#include "echo_exporter/config.h"
#include "src/base/file.h"

namespace echo_exporter {
namespace {

std::size_t HashOf(const Result<std::string>& text) {
  return text.ok() ? std::hash<std::string>()(text.value())
                   : ~std::hash<std::string>()(text.error().message);
}

}  // namespace

FileWatch::FileWatch(std::string path) : path_(std::move(path)) { MarkSeen(); }

std::optional<Result<std::string>> FileWatch::Look() {
  auto text = ReadFile(path_, kMaxConfigBytes);
  const std::size_t now = HashOf(text);
  const auto before = std::exchange(candidate_, std::nullopt);
  if (now == seen_) return std::nullopt;
  if (before != now) {
    candidate_ = now;
    return std::nullopt;
  }
  seen_ = now;
  return text;
}

void FileWatch::MarkSeen() {
  candidate_.reset();
  seen_ = HashOf(ReadFile(path_, kMaxConfigBytes));
}

}  // namespace echo_exporter
