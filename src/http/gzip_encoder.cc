#include "src/http/gzip_encoder.h"

#include <cstddef>

#include "src/base/header_value.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kBufferSize = std::size_t{64} * 1024;
constexpr int kGzipWindow = 15 + 16;  // 16: with gzip's header and trailer
constexpr int kMemoryLevel = 8;       // zlib's own default

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
      // A cast of zlib's macro.
      // NOLINTNEXTLINE(google-readability-casting)
      good_(deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow,
                         kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK),
      buffer_(kBufferSize, '\0') {}

GzipEncoder::~GzipEncoder() { deflateEnd(&stream_); }

bool GzipEncoder::Write(std::string_view piece) {
  return Run(piece, Z_NO_FLUSH);
}

bool GzipEncoder::Finish() { return Run({}, Z_FINISH); }

bool GzipEncoder::Run(std::string_view piece, int flush) {
  // zlib does not modify its input, although its interface takes a non-const
  // pointer.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream_.avail_in = static_cast<uInt>(piece.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    if (!good_ || deflate(&stream_, flush) == Z_STREAM_ERROR) return false;
    const std::size_t size = buffer_.size() - stream_.avail_out;
    const std::string_view output = buffer_;
    if (size > 0) good_ = sink_(output.substr(0, size));
  } while (good_ && stream_.avail_out == 0);
  return good_;
}

}  // namespace echo_exporter
