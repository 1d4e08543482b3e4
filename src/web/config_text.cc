#include "src/web/config_text.h"

#include <utility>

namespace echo_exporter {

std::shared_ptr<const std::string> ConfigText::Get(
    const std::shared_ptr<const ExporterConfig>& config) {
  // Held while the text is made, so that it is made once.
  const MutexLock lock(mutex_);
  auto text = text_.lock();
  if (text && config_.lock() == config) return text;
  std::string made = ConfigToToml(*config);
  // A reload without a change makes another configuration with the same text.
  if (!text || *text != made) {
    text = std::make_shared<const std::string>(std::move(made));
  }
  config_ = config;
  text_ = text;
  return text;
}

}  // namespace echo_exporter
