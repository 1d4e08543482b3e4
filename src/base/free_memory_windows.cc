#include "src/base/free_memory.h"

namespace echo_exporter {

// The heap of a process returns free pages by itself, once 64 KiB of them are
// free: HeapDeCommitTotalFreeThreshold of IMAGE_LOAD_CONFIG_DIRECTORY.
void ReturnFreeMemory() noexcept {}

}  // namespace echo_exporter
