#pragma once

namespace echo_exporter {

// What the tests are compiled with. The thread sanitizer has a thread of its
// own that takes no signals, so that no capability of that one can be dropped;
// the address sanitizer has an allocator of its own.
//
// clang and newer versions of gcc have features, older ones define macros.
#if defined(__has_feature)
inline constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
inline constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#ifdef __SANITIZE_THREAD__
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#endif

/// Everything takes several times as long.
inline constexpr bool kSanitizers = kAddressSanitizer || kThreadSanitizer;

}  // namespace echo_exporter
