#include "src/app/option_checks.h"

#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

#include "echo_exporter/config.h"
#include "src/base/duration.h"
#include "src/base/host_name.h"

namespace echo_exporter {
namespace {

OptionCheck IsBetween(Nanoseconds least, Nanoseconds most,
                      const std::string& examples,
                      std::optional<Nanoseconds> (*parse)(std::string_view)) {
  const std::string error = "must be from " + FormatDuration(least) + " to " +
                            FormatDuration(most) + ", such as " + examples +
                            ", not ";
  return [=](const std::string& text) -> std::string {
    const auto duration = parse(text);
    const bool valid = duration && *duration >= least && *duration <= most;
    return valid ? "" : error + text;
  };
}

// The number that `text` begins with, which is removed from it.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return number;
}

// "" is 1, "k", "KB" and "KiB" are 1024, and so on up to "T".
std::optional<std::uint64_t> UnitOfSize(std::string_view text) {
  const std::string unit = LowerCase(std::string(text));
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = std::string_view("kmgt").find(unit.front());
  const std::string rest = unit.substr(1);
  const bool has_ending =
      rest.empty() || rest == "b" || rest == "i" || rest == "ib";
  if (power == std::string_view::npos || !has_ending) return std::nullopt;
  return std::uint64_t{1} << (10 * (power + 1));
}

std::string WithoutSlashesAtEnd(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

/// Whether `text` is a path of characters that no URL encodes.
bool IsPath(std::string_view text) {
  return text.starts_with('/') && text.find("//") == std::string_view::npos &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
             "-._~!$&()*+,;=:@[]/") == std::string_view::npos;
}

/// Where the host of a URL begins; npos when there is no scheme.
std::size_t HostPlace(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.starts_with(scheme)) return scheme.size();
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Nanoseconds> ParseTime(std::string_view text) {
  const auto seconds = ParseSeconds(text);
  return seconds ? seconds : ParseDuration(text);
}

OptionCheck IsDuration(Nanoseconds least, Nanoseconds most) {
  return IsBetween(least, most, "30s or 1m", ParseDuration);
}

OptionCheck IsTime(Nanoseconds least, Nanoseconds most) {
  return IsBetween(least, most, "200ms or 0.2 (seconds)", ParseTime);
}

OptionCheck IsWholeNumber(std::uint64_t least, std::uint64_t most) {
  return [=](std::string& text) -> std::string {
    std::string_view rest = text;
    const auto number = TakeNumber(rest);
    if (!number || !rest.empty() || *number < least || *number > most) {
      return "must be a whole number from " + std::to_string(least) + " to " +
             std::to_string(most) + ", not " + text;
    }
    text = std::to_string(*number);
    return "";
  };
}

OptionCheck IsFileSize() {
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 10;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  return [](std::string& text) -> std::string {
    std::string_view rest = text;
    const auto number = TakeNumber(rest);
    const auto unit = UnitOfSize(rest);
    // Compared without multiplying, which might overflow.
    if (!number || !unit || *number > kMost / *unit ||
        *number * *unit < kLeast) {
      return "must be a size from 1KiB to 1TiB, such as 100MiB, not " + text;
    }
    text = std::to_string(*number * *unit);
    return "";
  };
}

OptionCheck IsOneOf(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& text) -> std::string {
    std::string error = "must be ";
    for (const std::string& word : words) {
      if (word == text) return "";
      if (&word != &words.front()) {
        error += &word == &words.back() ? " or " : ", ";
      }
      error += word;
    }
    return error + ", not " + text;
  };
}

OptionCheck IsListenAddress() {
  return [](const std::string& text) -> std::string {
    const auto address = ParseListenAddress(text);
    return address.ok() ? "" : address.error().message;
  };
}

OptionCheck IsExternalUrl() {
  return [](std::string& text) -> std::string {
    const std::string url = WithoutSlashesAtEnd(text);
    const std::size_t host = HostPlace(url);
    const bool good = host == std::string::npos
                          ? url.empty() || IsPath(url)
                          : url.find('/', host) != host && host < url.size() &&
                                IsPath('/' + url.substr(host));
    if (!good) {
      return "must be a URL such as https://example.net/echo, not " + text;
    }
    text = url;
    return {};
  };
}

OptionCheck IsRoutePrefix() {
  return [](std::string& text) -> std::string {
    const std::string path = WithoutSlashesAtEnd(
        text.starts_with('/') || text.empty() ? text : '/' + text);
    if (!path.empty() && !IsPath(path)) {
      return "must be a path such as /echo, not " + text;
    }
    text = path;
    return {};
  };
}

std::string PathOfUrl(const std::string& url) {
  const std::size_t host = HostPlace(url);
  if (host == std::string::npos) return url;
  const std::size_t path = url.find('/', host);
  return path == std::string::npos ? "" : url.substr(path);
}

}  // namespace echo_exporter
