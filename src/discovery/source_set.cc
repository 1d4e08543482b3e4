#include "src/discovery/source_set.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace echo_exporter {

SourceKey KeyOf(const std::string& group, const FileDiscoveryConfig& config) {
  SourceKey key = config.files;
  key.insert(key.end(), {group, config.strip_port ? "strip" : "keep", "file"});
  return key;
}

SourceKey KeyOf(const std::string& group, const HttpDiscoveryConfig& config) {
  return {group,
          config.url,
          std::to_string(config.refresh_interval.count()),
          config.strip_port ? "strip" : "keep",
          config.ca_file,
          config.cert_file,
          config.key_file,
          config.server_name,
          config.bearer_token_file,
          config.username,
          config.password_file,
          config.proxy_url};
}

std::vector<DiscoveryStatus::Lists> StatusOf(
    const SourceSet& sources,
    const std::map<std::string, std::uint64_t>& rejected) {
  std::map<std::pair<std::string, std::string>, DiscoveryStatus::Lists> all;
  for (const auto& [key, source] : sources) {
    const std::string mechanism = source.source->mechanism();
    const auto [place, is_new] = all.try_emplace({source.group, mechanism});
    DiscoveryStatus::Lists& sum = place->second;
    if (is_new) {
      sum.group = source.group;
      sum.mechanism = mechanism;
      sum.last_success = WallTime::max();
    }
    sum.refresh_failures += source.source->removed_failures();
    for (const auto& list : source.source->Lists()) {
      const KeptList::Facts facts = list->facts();
      const auto found = rejected.find(source.group + '\0' + list->name());
      sum.targets += facts.targets;
      sum.rejected +=
          facts.rejected + (found == rejected.end() ? 0 : found->second);
      sum.refresh_failures += facts.failures;
      // Nothing is less than anything.
      sum.last_success = std::min(sum.last_success, facts.last_success);
      sum.last_change = std::max(sum.last_change, facts.last_change);
    }
  }
  std::vector<DiscoveryStatus::Lists> lists;
  for (auto& [key, sum] : all) {
    if (sum.last_success == WallTime::max()) sum.last_success.reset();
    lists.push_back(std::move(sum));
  }
  return lists;
}

}  // namespace echo_exporter
