#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/result.h"

namespace echo_exporter {

/// Converts between a path and its text in UTF-8, on every operating system.
std::filesystem::path PathFromUtf8(std::string_view text);
std::string PathToUtf8(const std::filesystem::path& path);

/// Reads a whole regular file of at most `max_bytes`; an error is the cause
/// alone, as in "No such file or directory". Never waits for another program:
/// a pipe, a socket or a device is an error. Thread-safe.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

/// The same, but also reads a pipe to its end, as that of `<(...)` where a
/// shell has it, and waits for its writer for at most ten seconds. What was
/// read from a pipe cannot be read again. Thread-safe.
Result<std::string> ReadFileOrPipe(const std::string& path,
                                   std::size_t max_bytes);

/// The paths that match `pattern`, sorted: one "*" in its last part stands for
/// any text. Without a "*", the pattern itself. An error is that of reading its
/// folder, also when only a part could be read, of the code kNotFound when
/// there is none. Throws nothing but std::bad_alloc. Thread-safe.
Result<std::vector<std::string>> FindFiles(const std::string& pattern);

/// Whether FindFiles() would find `path` if it were there. Pure.
bool MatchesPattern(std::string_view pattern, std::string_view path);

/// Writes a file as a whole: beside the old one, and then in its place, so that
/// even a loss of power leaves the one or the other. An error is the cause
/// alone. Writers of the same path must not overlap. Thread-safe.
Status WriteFile(const std::string& path, std::string_view text);

/// The errors of a file that is neither a regular file nor a folder, and of one
/// that has more than `max_bytes`.
Error NotARegularFile();
Error TooLargeFile(std::size_t max_bytes);

/// Of what was read, or of why nothing was: detects changes. Pure.
std::size_t HashOf(const Result<std::string>& content);

}  // namespace echo_exporter
