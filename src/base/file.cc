#include "src/base/file.h"

#include <array>
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
  // Not by iterators: they throw errors, such as that of reading a folder,
  // which read() only reports as badbit.
  std::string text;
  std::array<char, 16384> piece;
  while (text.size() <= max_bytes &&
         (stream.read(piece.data(), piece.size()) || stream.gcount() > 0)) {
    text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    return Error{ErrorCode::kNotFound,
                 std::generic_category().message(errno != 0 ? errno : EIO)};
  }
  if (text.size() > max_bytes) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the file is larger than " + std::to_string(max_bytes) + " bytes"};
  }
  return text;
}

}  // namespace echo_exporter
