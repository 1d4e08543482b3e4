#include "src/base/file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace echo_exporter {

std::filesystem::path PathFromUtf8(std::string_view text) {
  return std::u8string(text.begin(), text.end());
}

std::string PathToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  errno = 0;
  std::ifstream stream(PathFromUtf8(path), std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  if (stream.is_open()) {
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  }
  if (!stream.is_open() || stream.bad()) {
    return Error{ErrorCode::kNotFound,
                 std::generic_category().message(errno != 0 ? errno : EIO)};
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > max_bytes) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the file is larger than " + std::to_string(max_bytes) + " bytes"};
  }
  return text;
}

}  // namespace echo_exporter
