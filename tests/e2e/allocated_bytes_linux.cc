// A library for LD_PRELOAD to a program with the address sanitizer: tells the
// file that the environment names as ALLOCATED_BYTES how many bytes the program
// has allocated, ten times a second. Its resident memory does not tell: the
// sanitizer keeps what was freed, and something of each thread that ever was.

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace {

void* Tell(void* path) {
  const int file =
      open(static_cast<const char*>(path), O_WRONLY | O_CREAT, 0644);
  for (;;) {
    char text[21];
    std::snprintf(text, sizeof(text), "%20zu",
                  __sanitizer_get_current_allocated_bytes());
    if (pwrite(file, text, sizeof(text) - 1, 0) < 0) return nullptr;
    usleep(100'000);
  }
}

__attribute__((constructor)) void Install() {
  char* const path = std::getenv("ALLOCATED_BYTES");
  pthread_t thread;
  if (path != nullptr) pthread_create(&thread, nullptr, Tell, path);
}

}  // namespace
