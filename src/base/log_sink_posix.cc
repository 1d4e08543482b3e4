#include "src/base/log_sink.h"

namespace echo_exporter {

std::unique_ptr<LogSink> CreateSystemSink() { return nullptr; }

}  // namespace echo_exporter
