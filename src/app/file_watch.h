#ifndef ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_
#define ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_

#include <cstddef>
#include <optional>
#include <string>

namespace echo_exporter {

/// Tells whether a file has another content than before. By the content,
/// because neither times nor sizes change with it for certain.
///
/// Confined to one thread.
class FileWatch {
 public:
  /// The content as it is now counts as seen.
  explicit FileWatch(std::string path);

  /// Whether it differs from what was last seen. A file that cannot be read
  /// differs from one that can.
  bool Changed();

 private:
  std::optional<std::size_t> Hash() const;

  const std::string path_;  ///< UTF-8
  std::optional<std::size_t> seen_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_FILE_WATCH_H_
