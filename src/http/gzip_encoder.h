#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "echo_exporter/text_sink.h"

namespace echo_exporter {

/// Whether the value of an Accept-Encoding header allows gzip (RFC 9110
/// section 12.5.3). Pure.
bool AcceptsGzip(std::string_view accept_encoding);

/// Compresses a text piece by piece (RFC 1952), at the fastest level: metrics
/// are so repetitive that higher levels save only a tenth more and take three
/// times as long.
///
/// Confined to one thread.
class GzipEncoder {
 public:
  /// The compressed bytes go to `sink`, which must outlive the encoder.
  explicit GzipEncoder(const TextSink& sink);
  ~GzipEncoder();
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;

  /// False when `sink` returned false, or memory ran out.
  bool Write(std::string_view piece);
  bool Finish();

 private:
  bool Run(std::string_view piece, int flush);

  const TextSink& sink_;
  z_stream stream_{};
  bool good_;
  std::string buffer_;
};

}  // namespace echo_exporter
