#include "src/probe/probe_query.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <system_error>
#include <utility>

namespace echo_exporter {
namespace {

// A host name has at most 253 bytes (RFC 1035); nothing else is longer.
constexpr std::size_t kMaxValueBytes = 255;
constexpr std::uint32_t kMaxCount = 100;
// Longer than any scrape; keeps the number within Nanoseconds.
constexpr double kMaxScrapeTimeoutSeconds = 24 * 60 * 60;

constexpr std::array<std::string_view, 6> kParameters = {
    "count", "debug", "hostname", "module", "source", "target"};

using Parameters = std::map<std::string, std::string, std::less<>>;

Error Refuse(std::string sentence) {
  return Error{ErrorCode::kInvalidArgument, std::move(sentence)};
}

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

bool IsControl(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

/// Text of a client for a message: printable, and shortened.
std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxBytes = 64;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxBytes)) {
    quoted += IsPrintable(c) ? c : '?';
  }
  return quoted + (text.size() > kMaxBytes ? "...\"" : "\"");
}

/// The whole of `text` as a number.
template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

std::optional<char> ParseHexByte(std::string_view digits) {
  unsigned int value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != 2 || error != std::errc() || parsed != end) {
    return std::nullopt;
  }
  return static_cast<char>(value);
}

/// application/x-www-form-urlencoded.
Result<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = ParseHexByte(text.substr(i + 1, 2));
      if (!byte) {
        return Refuse(
            "The query is not correctly encoded: % must be followed by "
            "two hexadecimal digits");
      }
      decoded += *byte;
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::optional<Error> AddParameter(std::string_view text,
                                  Parameters* parameters) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const Result<std::string> name = Decode(text.substr(0, equals));
  const Result<std::string> value =
      Decode(text.substr(std::min(equals + 1, text.size())));
  if (!name.ok()) return name.error();
  if (!value.ok()) return value.error();
  if (std::find(kParameters.begin(), kParameters.end(), name.value()) ==
      kParameters.end()) {
    return Refuse("Unknown parameter " + Quoted(name.value()) +
                  ": target, module, source, count and debug are allowed");
  }
  if (value.value().size() > kMaxValueBytes) {
    return Refuse("Parameter " + name.value() + " is too long: " +
                  std::to_string(kMaxValueBytes) + " bytes are allowed");
  }
  if (std::any_of(value.value().begin(), value.value().end(), IsControl)) {
    return Refuse("Parameter " + name.value() +
                  " contains control characters, which are not allowed");
  }
  if (!parameters->emplace(name.value(), value.value()).second) {
    return Refuse("Parameter " + name.value() + " is given more than once");
  }
  return std::nullopt;
}

Result<Parameters> ParseParameters(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (end > 0) {
      if (auto error = AddParameter(query.substr(0, end), &parameters)) {
        return *std::move(error);
      }
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return parameters;
}

std::optional<std::string> Find(const Parameters& parameters,
                                std::string_view name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return std::nullopt;
  return found->second;
}

Result<std::uint32_t> ParseCount(std::string_view text) {
  const auto count = ParseNumber<std::uint32_t>(text);
  if (count && *count >= 1 && *count <= kMaxCount) return *count;
  return Refuse("Parameter count is " + Quoted(text) +
                ": a whole number from 1 to " + std::to_string(kMaxCount) +
                " is allowed");
}

Result<bool> ParseDebug(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Refuse("Parameter debug is " + Quoted(text) +
                ": true, false, 1 and 0 are allowed");
}

Result<Nanoseconds> ParseScrapeTimeout(std::string_view text) {
  const auto seconds = ParseNumber<double>(text);
  // Never true for NaN.
  if (seconds && *seconds > 0 && std::isfinite(*seconds)) {
    return std::chrono::ceil<Nanoseconds>(std::chrono::duration<double>(
        std::min(*seconds, kMaxScrapeTimeoutSeconds)));
  }
  return Refuse("Header X-Prometheus-Scrape-Timeout-Seconds is " +
                Quoted(text) + ": a number of seconds above 0 is allowed");
}

}  // namespace

Result<ProbeQuery> ParseProbeQuery(
    std::string_view query, const std::optional<std::string>& scrape_timeout) {
  const Result<Parameters> parameters = ParseParameters(query);
  if (!parameters.ok()) return parameters.error();

  ProbeQuery result;
  result.target = Find(parameters.value(), "target").value_or("");
  if (result.target.empty()) return Refuse("Target parameter is missing");
  if (const auto module = Find(parameters.value(), "module")) {
    if (!module->empty()) result.module = *module;
  }
  if (const auto source = Find(parameters.value(), "source")) {
    if (!source->empty()) result.source = *source;
  }
  if (const auto text = Find(parameters.value(), "count")) {
    const Result<std::uint32_t> count = ParseCount(*text);
    if (!count.ok()) return count.error();
    result.count = count.value();
  }
  if (const auto text = Find(parameters.value(), "debug")) {
    const Result<bool> debug = ParseDebug(*text);
    if (!debug.ok()) return debug.error();
    result.debug = debug.value();
  }
  if (scrape_timeout) {
    const Result<Nanoseconds> timeout = ParseScrapeTimeout(*scrape_timeout);
    if (!timeout.ok()) return timeout.error();
    result.scrape_timeout = timeout.value();
  }
  return result;
}

}  // namespace echo_exporter
