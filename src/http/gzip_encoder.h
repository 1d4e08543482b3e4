#ifndef ECHO_EXPORTER_SRC_HTTP_GZIP_ENCODER_H_
#define ECHO_EXPORTER_SRC_HTTP_GZIP_ENCODER_H_

#include <zlib.h>

#include <string>
#include <string_view>

#include "echo_exporter/text_sink.h"

namespace echo_exporter {

/// Whether the value of an Accept-Encoding header allows gzip (RFC 9110
/// section 12.5.3). Pure.
bool AcceptsGzip(std::string_view accept_encoding);

/// Compresses a text piece by piece (RFC 1952). At the fastest level: metrics
/// repeat themselves so much that the others gain a tenth for three times the
/// time.
///
/// Confined to one thread.
class GzipEncoder {
 public:
  /// What is compressed goes to `sink`, which must outlive the encoder.
  explicit GzipEncoder(const TextSink& sink);
  ~GzipEncoder();
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;

  /// False when `sink` said so, or memory ran out.
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

#endif  // ECHO_EXPORTER_SRC_HTTP_GZIP_ENCODER_H_
