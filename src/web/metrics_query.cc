#include "src/web/metrics_query.h"

#include <string>
#include <utility>

#include "src/base/url_query.h"

namespace echo_exporter {
namespace {

Error Reject(std::string sentence) {
  return Error{ErrorCode::kInvalidArgument, std::move(sentence)};
}

}  // namespace

Result<MetricsQuery> ParseMetricsQuery(
    std::string_view query,
    const std::function<bool(std::string_view name)>& has_group) {
  const auto parameters = ParseUrlQuery(query);
  if (!parameters.ok()) return parameters.error();
  MetricsQuery result;
  bool has_pairs = false;
  for (const auto& [name, value] : parameters.value()) {
    if (name == "group") {
      if (!has_group(value)) {
        return Reject("There is no group " + QuotedForClient(value) +
                      " in the configuration.");
      }
      if (!result.groups) result.groups.emplace();
      result.groups->insert(value);
      result.exporter = false;
    } else if (name != "pairs") {
      return Reject("Unknown parameter " + QuotedForClient(name) +
                    ": group and pairs are allowed.");
    } else if (value != "none" && value != "only") {
      return Reject("Parameter pairs is " + QuotedForClient(value) +
                    ": none and only are allowed.");
    } else if (std::exchange(has_pairs, true)) {
      return Reject("Parameter pairs is given more than once.");
    } else if (value == "none") {
      result.pairs = false;
    } else {
      result.exporter = false;
    }
  }
  if (!result.pairs && result.groups) {
    return Reject("pairs=none leaves no pair of a group.");
  }
  return result;
}

}  // namespace echo_exporter
