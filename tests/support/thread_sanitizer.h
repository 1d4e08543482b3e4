#ifndef ECHO_EXPORTER_TESTS_SUPPORT_THREAD_SANITIZER_H_
#define ECHO_EXPORTER_TESTS_SUPPORT_THREAD_SANITIZER_H_

namespace echo_exporter {

/// Whether the thread sanitizer is at work. It has a thread of its own that
/// takes no signals, so that no capability of that one can be dropped.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_TESTS_SUPPORT_THREAD_SANITIZER_H_
