#pragma once

#include <cstdint>
#include <optional>

namespace echo_exporter {

/// Has the calling thread run before those that compute, until the end of its
/// scope, as far as that takes no right: on Windows by its priority, on Linux
/// by how long it asks to run at a time. For threads that keep deadlines, and
/// for those that hold locks which such threads need: who computes does not
/// interrupt them for long.
///
/// To be destroyed on the same thread.
class RaisedThreadPriority {
 public:
  RaisedThreadPriority();
  ~RaisedThreadPriority();
  RaisedThreadPriority(const RaisedThreadPriority&) = delete;
  RaisedThreadPriority& operator=(const RaisedThreadPriority&) = delete;

 private:
  /// What the system had for the thread; absent when nothing was changed.
  std::optional<std::int64_t> before_;
};

}  // namespace echo_exporter
