#pragma once

#include <cstddef>

namespace echo_exporter {

/// Asks the processor for an object that is about to be used: where there are
/// many, it is in no cache, and its lines come one after the other otherwise.
/// Has no other effect; null is allowed.
template <typename Object>
void Prefetch(const Object* object) {
#if defined(__GNUC__)
  if (object == nullptr) return;
  constexpr std::size_t kLine = 64;
  const char* const begin = reinterpret_cast<const char*>(object);
  for (std::size_t offset = 0; offset < sizeof(Object); offset += kLine) {
    __builtin_prefetch(begin + offset, /*rw=*/1);
  }
  // It may begin within a line, and then ends in one more.
  __builtin_prefetch(begin + sizeof(Object) - 1, /*rw=*/1);
  // GCC removes calls of functions that have no effect but this one.
  asm volatile("");
#else
  (void)object;
#endif
}

}  // namespace echo_exporter
