#ifndef ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_
#define ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_

#include <cstddef>
#include <optional>
#include <string>

namespace echo_exporter {

/// Detects changes of a file's content. It compares the content, because
/// neither the time nor the size reliably changes with it.
///
/// Confined to one thread.
class FileWatch {
 public:
  /// The current content counts as seen.
  explicit FileWatch(std::string path);

  /// Whether the content differs from the content last seen. A file that cannot
  /// be read differs from one that can.
  bool Changed();

 private:
  std::optional<std::size_t> Hash() const;

  const std::string path_;  ///< UTF-8
  std::optional<std::size_t> seen_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_
