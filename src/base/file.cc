#include "src/base/file.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

namespace echo_exporter {
namespace {

/// The last part of a path. Absent where it has no text: Windows lets names
/// have what is not Unicode, and the conversion throws.
std::optional<std::string> NameOf(const std::filesystem::path& path) try {
  return PathToUtf8(path.filename());
} catch (const std::system_error&) {
  return std::nullopt;
}

}  // namespace

std::filesystem::path PathFromUtf8(std::string_view text) {
  return std::u8string(text.begin(), text.end());
}

std::string PathToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

bool MatchesPattern(std::string_view pattern, std::string_view path) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return path == pattern;
  const std::string_view begin = pattern.substr(0, star);
  const std::string_view end = pattern.substr(star + 1);
  if (path.size() < begin.size() + end.size() || !path.starts_with(begin) ||
      !path.ends_with(end)) {
    return false;
  }
  path.remove_prefix(begin.size());
  path.remove_suffix(end.size());
  // What the star stands for is no folder.
  const std::filesystem::path text = PathFromUtf8(path);
  return text == text.filename();
}

Result<std::vector<std::string>> FindFiles(const std::string& pattern) {
  if (pattern.find('*') == std::string::npos) {
    return std::vector<std::string>{pattern};
  }
  // As it is written: Windows has two separators.
  const std::size_t last = PathToUtf8(PathFromUtf8(pattern).filename()).size();
  const std::string folder = pattern.substr(0, pattern.size() - last);
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator
           entry(PathFromUtf8(folder.empty() ? "." : folder), error),
       none;
       !error && entry != none; entry.increment(error)) {
    const auto name = NameOf(entry->path());
    if (!name || !MatchesPattern(pattern, folder + *name)) continue;
    paths.push_back(folder + *name);
  }
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory;
    return Error{missing ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                 "reading the folder: " + error.message()};
  }
  std::ranges::sort(paths);
  return paths;
}

Error NotARegularFile() {
  return {ErrorCode::kInvalidArgument, "it is not a regular file"};
}

Error TooLargeFile(std::size_t max_bytes) {
  return {ErrorCode::kInvalidArgument,
          "the file is larger than " + std::to_string(max_bytes) + " bytes"};
}

std::size_t HashOf(const Result<std::string>& content) {
  const std::hash<std::string> hash;
  return content.ok() ? hash(content.value()) : ~hash(content.error().message);
}

}  // namespace echo_exporter
