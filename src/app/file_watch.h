#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "echo_exporter/config.h"
#include "src/base/settled.h"

namespace echo_exporter {

/// Detects changes of the configuration's files, and which there are. It
/// compares the content, because neither the time nor the size reliably changes
/// with it; and it reports a new content only when two looks in a row have seen
/// the same, because a file may be seen half written.
///
/// Confined to one thread.
class FileWatch {
 public:
  /// `read` reads the files. The current content counts as seen.
  explicit FileWatch(std::function<ConfigFiles()> read);

  /// Reads the files. Returns what was read when that differs from what was
  /// seen last and is the same as at the look before; it counts as seen then.
  std::optional<ConfigFiles> Look();

  /// Whether the last look has seen something new, which the next one is to
  /// confirm.
  bool unsettled() const { return content_.unsettled(); }

  /// The current content counts as seen.
  void MarkSeen();

  /// Nothing counts as seen: looks report the content, whatever it is.
  void Forget() { content_.Forget(); }

 private:
  const std::function<ConfigFiles()> read_;
  Settled<std::size_t> content_;  ///< its hash
};

}  // namespace echo_exporter
