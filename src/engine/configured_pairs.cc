#include "src/engine/configured_pairs.h"

#include <utility>

namespace echo_exporter {

DispatchChange ConfiguredPairs::MoveTo(const ExporterConfig& config) {
  for (auto& [names, pair] : known_) pair.wanted = false;
  std::erase_if(leaving_, [this](const auto& entry) {
    return !recorder_.HasPair(entry.second);
  });
  old_watches_ = std::exchange(watches_, {});

  std::vector<Endpoints> endpoints;
  endpoints.reserve(config.groups.size());
  for (const GroupConfig& group : config.groups) {
    endpoints.push_back(WatchGroup(group));
  }

  DispatchChange change;
  change.scheduled.resize(config.groups.size());
  for (std::size_t i = 0; i < config.groups.size(); ++i) {
    change.scheduled[i].interval = config.groups[i].interval;
  }
  for (const PairConfig& pair : config.pairs) {
    const GroupConfig& group = config.groups[pair.group];
    bool is_new = false;
    Known& known = Know(group, group.sources[pair.source].name,
                        group.destinations[pair.destination].name, &is_new);
    DispatchedPair spec{known.id, endpoints[pair.group].sources[pair.source],
                        endpoints[pair.group].destinations[pair.destination],
                        group.echo};
    if (is_new || known.interval != group.interval) {
      known.interval = group.interval;
      change.scheduled[pair.group].pairs.push_back(std::move(spec));
    } else {
      change.updated.push_back(std::move(spec));
    }
  }

  std::erase_if(known_, [this](const auto& entry) {
    if (entry.second.wanted) return false;
    removed_.push_back(entry.second.id);
    leaving_[entry.first] = entry.second.id;
    return true;
  });
  labels_.clear();
  for (const GroupConfig& group : config.groups) {
    labels_[group.name] = group.labels;
  }
  change.removed = removed_;
  return change;
}

void ConfiguredPairs::Settle() {
  for (const PairId id : removed_) {
    recorder_.RemovePair(id);
    state_log_.RemovePair(id);
  }
  removed_.clear();
  for (const AddressBook::Watch& watch : old_watches_) book_.Unwatch(watch);
  old_watches_.clear();
}

// Begins the series of a pair, or goes on with those that have not ended.
PairId ConfiguredPairs::AddPair(const std::string& names,
                                const PairLabels& labels) {
  const auto left = leaving_.extract(names);
  if (!left.empty() && recorder_.RestorePair(left.mapped(), labels)) {
    return left.mapped();
  }
  const PairId id = next_id_++;
  recorder_.AddPair(id, labels);
  return id;
}

// The pair of these names, with its series.
ConfiguredPairs::Known& ConfiguredPairs::Know(const GroupConfig& group,
                                              const std::string& source,
                                              const std::string& destination,
                                              bool* is_new) {
  // No name has a control character.
  const auto [place, inserted] =
      known_.try_emplace(group.name + '\n' + source + '\n' + destination);
  Known& known = place->second;
  known.wanted = true;
  *is_new = inserted;
  const PairLabels labels{group.name, source, destination, group.labels};
  if (inserted) {
    known.id = AddPair(place->first, labels);
    state_log_.AddPair(known.id, group.name, source, destination);
  } else if (const auto old = labels_.find(group.name);
             old == labels_.end() || old->second != group.labels) {
    recorder_.SetLabels(known.id, labels);
  }
  return known;
}

ConfiguredPairs::Endpoints ConfiguredPairs::WatchGroup(
    const GroupConfig& group) {
  Endpoints endpoints;
  for (const SourceConfig& source : group.sources) {
    switch (source.kind) {
      case SourceConfig::Kind::kAuto:
        endpoints.sources.push_back({});
        break;
      case SourceConfig::Kind::kAddress:
        endpoints.sources.push_back({.address = source.address, .entry = {}});
        break;
      case SourceConfig::Kind::kInterface:
        endpoints.sources.push_back(
            Watched(book_.WatchInterface(source.interface_name)));
        break;
    }
  }
  for (const DestinationConfig& destination : group.destinations) {
    endpoints.destinations.push_back(
        destination.address
            ? Endpoint{.address = destination.address, .entry = {}}
            : Watched(book_.WatchName(destination.name, group.dns_refresh)));
  }
  return endpoints;
}

Endpoint ConfiguredPairs::Watched(AddressBook::Watch watch) {
  watches_.push_back(watch);
  return {.address = {}, .entry = watch.entry};
}

}  // namespace echo_exporter
