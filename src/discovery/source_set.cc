#include "src/discovery/source_set.h"

#include <algorithm>
#include <set>

namespace echo_exporter {

std::vector<DiscoveryStatus::Lists> StatusOf(
    const SourceSet& sources,
    const std::map<std::string, std::uint64_t>& rejected) {
  std::map<std::pair<std::string, std::string>, DiscoveryStatus::Lists> all;
  for (const auto& [key, source] : sources) {
    const std::string& group = key.first;
    const std::string mechanism =
        std::holds_alternative<FileDiscoveryConfig>(key.second) ? "file_sd"
                                                                : "http_sd";
    const auto [place, is_new] = all.try_emplace({group, mechanism});
    DiscoveryStatus::Lists& sum = place->second;
    if (is_new) {
      sum.group = group;
      sum.mechanism = mechanism;
      sum.last_success = WallTime::max();
    }
    sum.refresh_failures += source->removed_failures();
    for (const auto& list : source->Lists()) {
      const KeptList::Facts facts = list->facts();
      const auto found = rejected.find(group + '\0' + list->name());
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

void DropEnded(const SourceSet& before, const SourceSet& now) {
  std::vector<std::shared_ptr<KeptList>> ended;
  for (const auto& [key, source] : before) {
    if (now.contains(key)) continue;
    for (auto& list : source->Lists()) ended.push_back(std::move(list));
  }
  if (ended.empty()) return;
  std::set<std::string> names;
  for (const auto& [key, source] : now) {
    for (const auto& list : source->Lists()) names.insert(list->name());
  }
  for (const auto& list : ended) {
    if (!names.contains(list->name())) list->Drop();
  }
}

}  // namespace echo_exporter
