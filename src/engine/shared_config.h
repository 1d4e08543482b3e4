#pragma once

#include <memory>
#include <utility>

#include "echo_exporter/config.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// The configuration in use. A configuration stays valid for its holders after
/// Set().
///
/// Thread-safe.
class SharedConfig {
 public:
  explicit SharedConfig(ExporterConfig config)
      : config_(std::make_shared<const ExporterConfig>(std::move(config))) {}

  std::shared_ptr<const ExporterConfig> Get() const {
    const MutexLock lock(mutex_);
    return config_;
  }

  /// `config` is never null.
  void Set(std::shared_ptr<const ExporterConfig> config) noexcept {
    const MutexLock lock(mutex_);
    config_.swap(config);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const ExporterConfig> config_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
