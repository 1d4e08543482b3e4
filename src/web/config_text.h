#pragma once

#include <memory>
#include <string>

#include "echo_exporter/config.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// The text of /config, which can have many megabytes: one for all requests
/// that are under way, however slowly their clients read, and none without a
/// request.
///
/// Thread-safe.
class ConfigText {
 public:
  /// ConfigToToml() of `config`.
  std::shared_ptr<const std::string> Get(
      const std::shared_ptr<const ExporterConfig>& config);

 private:
  Mutex mutex_;
  std::weak_ptr<const ExporterConfig> config_ GUARDED_BY(mutex_);
  std::weak_ptr<const std::string> text_ GUARDED_BY(mutex_);  ///< of config_
};

}  // namespace echo_exporter
