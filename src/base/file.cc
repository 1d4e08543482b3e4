#include "src/base/file.h"

#include <functional>

namespace echo_exporter {

std::filesystem::path PathFromUtf8(std::string_view text) {
  return std::u8string(text.begin(), text.end());
}

std::string PathToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
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
