#include <cstdlib>  // for __GLIBC__

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "src/base/free_memory.h"

namespace echo_exporter {

// glibc by itself returns what is free at the end of its heap only. Other C
// libraries have no such call.
void ReturnFreeMemory() noexcept {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace echo_exporter
