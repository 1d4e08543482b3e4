#include "src/http/gzip_encoder.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace echo_exporter {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
constexpr int kGzipWindow = 15 + 16;  // 16: with gzip's header and trailer
constexpr int kMemoryLevel = 8;       // zlib's own default

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes what stands before the first `separator` from `text`.
std::string_view TakeUntil(char separator, std::string_view* text) {
  const std::size_t end = std::min(text->find(separator), text->size());
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return Trim(taken);
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// "q=0", with any number of zeros behind a point.
bool IsRefused(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = TakeUntil(';', &parameters);
    if (!EqualsIgnoringCase(TakeUntil('=', &value), "q")) continue;
    return value.find_first_not_of("0.") == std::string_view::npos;
  }
  return false;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    std::string_view item = TakeUntil(',', &accept_encoding);
    if (EqualsIgnoringCase(TakeUntil(';', &item), "gzip")) {
      return !IsRefused(item);
    }
  }
  return false;
}

GzipEncoder::GzipEncoder(const TextSink& sink)
    : sink_(sink),
      good_(deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow,
                         kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK),
      buffer_(kBufferSize, '\0') {}

GzipEncoder::~GzipEncoder() { deflateEnd(&stream_); }

bool GzipEncoder::Write(std::string_view piece) {
  return Run(piece, Z_NO_FLUSH);
}

bool GzipEncoder::Finish() { return Run({}, Z_FINISH); }

bool GzipEncoder::Run(std::string_view piece, int flush) {
  // zlib does not write to its input, whatever its interface says.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream_.avail_in = static_cast<uInt>(piece.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    if (!good_ || deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
    const std::size_t size = buffer_.size() - stream_.avail_out;
    if (size > 0) good_ = sink_(std::string_view(buffer_).substr(0, size));
  } while (good_ && stream_.avail_out == 0);
  return good_;
}

}  // namespace echo_exporter
