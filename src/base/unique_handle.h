#pragma once

#include <utility>

namespace echo_exporter {

/// Owns one handle of an operating system and closes it. `Traits` defines the
/// kind of handle:
///
///     struct Traits {
///       using Handle = ...;          // a plain value
///       static Handle Invalid();     // stands for "none"; never closed
///       static void Close(Handle);
///     };
///
/// Confined to one thread at a time.
template <typename Traits>
class UniqueHandle {
 public:
  using Handle = typename Traits::Handle;

  UniqueHandle() = default;
  explicit UniqueHandle(Handle handle) : handle_(handle) {}
  ~UniqueHandle() { reset(); }

  UniqueHandle(UniqueHandle&& other) noexcept : handle_(other.release()) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    // Correct for self-assignment too: release() leaves nothing to close.
    reset(other.release());
    return *this;
  }
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;

  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != Traits::Invalid(); }

  /// Releases ownership of the handle without closing it.
  Handle release() { return std::exchange(handle_, Traits::Invalid()); }

  /// Closes the handle and takes `handle` in its place.
  void reset(Handle handle = Traits::Invalid()) {
    const Handle old = std::exchange(handle_, handle);
    if (old != Traits::Invalid()) Traits::Close(old);
  }

 private:
  Handle handle_ = Traits::Invalid();
};

}  // namespace echo_exporter
