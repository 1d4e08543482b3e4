#include "src/probe/probe_query.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "src/base/number_text.h"
#include "src/base/url_query.h"

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

bool IsControl(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

std::optional<Error> CheckParameter(const std::string& name,
                                    const std::string& value) {
  if (std::find(kParameters.begin(), kParameters.end(), name) ==
      kParameters.end()) {
    return Refuse("Unknown parameter " + QuotedForClient(name) +
                  ": target, module, source, count and debug are allowed");
  }
  if (value.size() > kMaxValueBytes) {
    return Refuse("Parameter " + name + " is too long: " +
                  std::to_string(kMaxValueBytes) + " bytes are allowed");
  }
  if (std::any_of(value.begin(), value.end(), IsControl)) {
    return Refuse("Parameter " + name +
                  " contains control characters, which are not allowed");
  }
  return std::nullopt;
}

Result<Parameters> ParseParameters(std::string_view query) {
  auto decoded = ParseUrlQuery(query);
  if (!decoded.ok()) return decoded.error();
  Parameters parameters;
  for (auto& [name, value] : decoded.value()) {
    if (auto error = CheckParameter(name, value)) return *std::move(error);
    if (!parameters.emplace(name, std::move(value)).second) {
      return Refuse("Parameter " + name + " is given more than once");
    }
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
  return Refuse("Parameter count is " + QuotedForClient(text) +
                ": a whole number from 1 to " + std::to_string(kMaxCount) +
                " is allowed");
}

Result<bool> ParseDebug(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Refuse("Parameter debug is " + QuotedForClient(text) +
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
                QuotedForClient(text) +
                ": a number of seconds above 0 is allowed");
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

std::optional<ProbeQuery> QueryOfPair(const ExporterConfig& config,
                                      const PairLabels& labels) {
  ProbeQuery query;
  query.source = labels.source;
  if (labels.of_module) {
    const auto module = config.modules.find(labels.group);
    if (module == config.modules.end() ||
        module->second.mode != ModuleConfig::Mode::kContinuous) {
      return std::nullopt;
    }
    query.target = labels.destination;
    query.pair_echo = module->second.echo;
    return query;
  }
  for (const GroupConfig& group : config.groups) {
    if (group.name != labels.group) continue;
    const auto found = std::ranges::find_if(
        group.destinations, [&](const DestinationConfig& destination) {
          return destination.name == labels.destination;
        });
    if (found == group.destinations.end()) continue;
    query.pair_echo = group.echo;
    query.target =
        labels.address.empty() ? found->Target() : labels.address.text();
    return query;
  }
  return std::nullopt;
}

}  // namespace echo_exporter
