#include "src/web/static_files.h"

#include <string>

namespace echo_exporter {

HttpResponse RespondWithFile(const StaticFile& file) {
  return {
      .content_type = std::string(file.content_type),
      .headers = {{"Cache-Control", "private, max-age=31536000, immutable"}},
      .write_body = [bytes = file.bytes](const TextSink& sink) {
        sink(bytes);
      }};
}

}  // namespace echo_exporter
