#pragma once

namespace echo_exporter {

/// Whether the thread sanitizer is at work. It has a thread of its own that
/// takes no signals, so that no capability of that one can be dropped.
#if defined(__SANITIZE_THREAD__)  // gcc
inline constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)  // clang
inline constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace echo_exporter
