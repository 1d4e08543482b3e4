#include "src/base/file.h"

#include <algorithm>
#include <functional>
#include <system_error>
#include <utility>

namespace echo_exporter {

std::filesystem::path PathFromUtf8(std::string_view text) {
  return std::u8string(text.begin(), text.end());
}

std::string PathToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

bool MatchesPattern(std::string_view path, std::string_view pattern) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return path == pattern;
  return path.size() + 1 >= pattern.size() &&
         path.starts_with(pattern.substr(0, star)) &&
         path.ends_with(pattern.substr(star + 1));
}

Result<std::vector<std::string>> FindFiles(const std::string& pattern) {
  if (pattern.find('*') == std::string::npos) return std::vector{pattern};
  // As it is written: Windows has two separators.
  const std::size_t last = PathToUtf8(PathFromUtf8(pattern).filename()).size();
  const std::string folder = pattern.substr(0, pattern.size() - last);
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator
           entry(PathFromUtf8(folder.empty() ? "." : folder), error),
       none;
       !error && entry != none; entry.increment(error)) {
    std::string path = folder + PathToUtf8(entry->path().filename());
    if (MatchesPattern(path, pattern)) paths.push_back(std::move(path));
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
