#include <sys/stat.h>

#include "src/base/file.h"

namespace echo_exporter {
namespace {

std::uint64_t Nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

FileStamp ReadFileStamp(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  // The change time cannot be set back, unlike the modification time, which
  // cp -p sets back.
  return {.exists = true,
          .size = static_cast<std::uint64_t>(status.st_size),
          .written =
              Nanoseconds(status.st_mtim) ^ (Nanoseconds(status.st_ctim) << 1),
          .identity = status.st_ino};
}

}  // namespace echo_exporter
