// Implementation notes:
//   a) open() waits for the writer of a pipe, and read() for what it writes;
//      opening a device can have effects. So the kind is looked at before the
//      file is opened, and again behind it, since another file may have got its
//      name. O_NONBLOCK keeps even that one from making us wait.
//   b) poll() reports a pipe whose writers have all left as readable. One that
//      never had a writer is not reported.

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

#include "echo_exporter/clock.h"
#include "src/base/file.h"
#include "src/base/unique_fd_posix.h"

namespace echo_exporter {
namespace {

constexpr Nanoseconds kPipePatience = std::chrono::seconds(10);

Error SystemError() {
  return {ErrorCode::kNotFound, std::generic_category().message(errno)};
}

/// Absent when a file of this kind is read.
std::optional<Error> KindFault(const struct stat& status, bool pipe_too) {
  if (S_ISREG(status.st_mode)) return std::nullopt;
  if (S_ISFIFO(status.st_mode) && pipe_too) return std::nullopt;
  if (!S_ISDIR(status.st_mode)) return NotARegularFile();
  errno = EISDIR;
  return SystemError();
}

/// False when nothing can be read from the pipe before `deadline`.
bool AwaitPipe(int fd, SteadyTime deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - Clock::System().Now());
    if (left.count() <= 0) return false;
    pollfd event{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&event, 1, static_cast<int>(left.count())) > 0) return true;
  }
}

/// Reads from the current place to the end.
Result<std::string> ReadToEnd(int fd, std::size_t max_bytes, bool is_pipe) {
  const SteadyTime deadline = Clock::System().Now() + kPipePatience;
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    if (is_pipe && !AwaitPipe(fd, deadline)) {
      return Error{ErrorCode::kUnavailable,
                   "the pipe has not ended within 10 seconds"};
    }
    const ssize_t size = read(fd, piece.data(), piece.size());
    if (size == 0) return text;
    if (size < 0 && (errno == EINTR || (is_pipe && errno == EAGAIN))) continue;
    if (size < 0) return SystemError();
    text.append(piece.data(), static_cast<std::size_t>(size));
    if (text.size() > max_bytes) return TooLargeFile(max_bytes);
  }
}

Result<std::string> ReadWhole(const std::string& path, std::size_t max_bytes,
                              bool pipe_too) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return SystemError();
  if (auto fault = KindFault(status, pipe_too)) return *std::move(fault);
  const UniqueFd file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || fstat(file.get(), &status) != 0) return SystemError();
  if (auto fault = KindFault(status, pipe_too)) return *std::move(fault);
  // Before anything of it is read.
  if (status.st_size > 0 &&
      static_cast<std::uint64_t>(status.st_size) > max_bytes) {
    return TooLargeFile(max_bytes);
  }
  return ReadToEnd(file.get(), max_bytes, S_ISFIFO(status.st_mode));
}

/// 0, or the system's error code.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

Status WriteFile(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  {
    const UniqueFd file(open(fresh.c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
                                 O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                             S_IRUSR | S_IWUSR));
    if (!file) return SystemError();
    errno = WriteAll(file.get(), text);
    if (errno != 0) {
      Error error = SystemError();
      unlink(fresh.c_str());
      return error;
    }
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) {
    Error error = SystemError();
    unlink(fresh.c_str());
    return error;
  }
  return std::monostate{};
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  return ReadWhole(path, max_bytes, /*pipe_too=*/false);
}

Result<std::string> ReadFileOrPipe(const std::string& path,
                                   std::size_t max_bytes) {
  return ReadWhole(path, max_bytes, /*pipe_too=*/true);
}

}  // namespace echo_exporter
