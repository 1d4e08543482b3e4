#include "src/engine/pair_set.h"

#include <algorithm>
#include <utility>

namespace echo_exporter {

const PairSet::Pair* PairSet::Set::Find(PairId id) const {
  const auto found = std::ranges::lower_bound(pairs, id, {}, &Pair::id);
  return found == pairs.end() || found->id != id ? nullptr : &*found;
}

DispatchedPair PairSet::Set::SpecOf(const Pair& pair) const {
  const Group& group = groups[pair.place.group];
  return {pair.id, group.sources[pair.place.source],
          group.destinations[pair.place.destination], group.echo,
          group.flow_renew_after};
}

DispatchChange PairSet::Plan(const ExporterConfig& config) {
  // New watches are added before old ones are removed, so that names in both
  // keep their entries in the book.
  old_watches_ = std::exchange(watches_, {});
  Set next;
  DispatchChange change;
  for (const GroupConfig& group : config.groups) {
    next.groups.push_back(WatchGroup(group));
    change.scheduled.push_back({.interval = group.interval, .pairs = {}});
  }
  next.pairs.reserve(config.pairs.size());
  for (const PairConfig& place : config.pairs) {
    const GroupConfig& names = config.groups[place.group];
    const Group& group = next.groups[place.group];
    const PairId id = recorder_.AddPair(
        {names.name, names.sources[place.source].name,
         names.destinations[place.destination].name, group.labels});
    next.pairs.push_back({id, place});
    const Pair* const old = current_.Find(id);
    const Group* const old_group =
        old == nullptr ? nullptr : &current_.groups[old->place.group];
    if (old == nullptr || old_group->labels != group.labels) {
      states_.AddPair(id, recorder_.LabelsOf(id));
    }
    const DispatchedPair spec = next.SpecOf(next.pairs.back());
    if (old == nullptr || old_group->interval != group.interval) {
      change.scheduled[place.group].pairs.push_back(spec);
    } else if (current_.SpecOf(*old) != spec) {
      change.updated.push_back(spec);
    }
  }
  std::ranges::sort(next.pairs, {}, &Pair::id);
  for (const Pair& old : current_.pairs) {
    if (next.Find(old.id) == nullptr) removed_.push_back(old.id);
  }
  change.removed = removed_;
  current_ = std::move(next);
  return change;
}

void PairSet::Retire() {
  for (const PairId id : removed_) {
    recorder_.RemovePair(id);
    states_.RemovePair(id);
  }
  removed_.clear();
  for (const AddressBook::Watch& watch : old_watches_) book_.Unwatch(watch);
  old_watches_.clear();
}

PairSet::Group PairSet::WatchGroup(const GroupConfig& config) {
  Group group{.interval = config.interval,
              .echo = config.echo,
              .flow_renew_after = config.flow_renew_after,
              .labels = config.labels,
              .sources = {},
              .destinations = {}};
  for (const SourceConfig& source : config.sources) {
    switch (source.kind) {
      case SourceConfig::Kind::kAuto:
        group.sources.push_back({});
        break;
      case SourceConfig::Kind::kAddress:
        group.sources.push_back({.address = source.address, .entry = {}});
        break;
      case SourceConfig::Kind::kInterface:
        group.sources.push_back(
            Watched(book_.WatchInterface(source.interface_name)));
        break;
    }
  }
  for (const DestinationConfig& destination : config.destinations) {
    group.destinations.push_back(
        destination.address
            ? Endpoint{.address = destination.address, .entry = {}}
            : Watched(book_.WatchName(destination.name, config.dns_refresh)));
  }
  return group;
}

Endpoint PairSet::Watched(AddressBook::Watch watch) {
  watches_.push_back(watch);
  return {.address = {}, .entry = watch.entry};
}

}  // namespace echo_exporter
