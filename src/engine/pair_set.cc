#include "src/engine/pair_set.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace echo_exporter {

const PairSet::Pair* PairSet::Set::Find(PairId id) const {
  const auto found = std::ranges::lower_bound(pairs, id, {}, &Pair::id);
  return found == pairs.end() || found->id != id ? nullptr : &*found;
}

DispatchedPair PairSet::Set::SpecOf(const Pair& pair) const {
  const Group& group = groups[pair.place.group];
  return {pair.id, group.destinations[pair.place.destination],
          group.settings[pair.place.source]};
}

PairTraits PairSet::Set::TraitsOf(const Pair& pair) const {
  const Group& group = groups[pair.place.group];
  const Endpoint& destination = group.destinations[pair.place.destination];
  return {.interval = group.interval, .has_name = !destination.address};
}

DispatchChange PairSet::Plan(const ExporterConfig& config) {
  try {
    return PlanNext(config);
  } catch (...) {
    Abandon();
    throw;
  }
}

DispatchChange PairSet::PlanNext(const ExporterConfig& config) {
  DispatchChange change;
  // What is to be undone is noted where that cannot fail.
  std::size_t watches = 0;
  for (const GroupConfig& group : config.groups) {
    watches += group.sources.size() + group.destinations.size();
  }
  next_.watches.reserve(watches);
  next_.added.reserve(config.pairs.size());
  for (const GroupConfig& group : config.groups) {
    next_.set.groups.push_back(WatchGroup(group));
    change.scheduled.push_back({.interval = group.interval, .pairs = {}});
  }
  next_.set.pairs.reserve(config.pairs.size());
  for (const PairConfig& place : config.pairs) {
    PlanPair(config, place, &change);
  }
  std::ranges::sort(next_.set.pairs, {}, &Pair::id);
  for (const Pair& old : current_.pairs) {
    if (next_.set.Find(old.id) == nullptr) next_.removed.push_back(old.id);
  }
  change.removed = next_.removed;
  return change;
}

void PairSet::PlanPair(const ExporterConfig& config, const PairConfig& place,
                       DispatchChange* change) {
  const GroupConfig& names = config.groups[place.group];
  const Group& group = next_.set.groups[place.group];
  const DestinationConfig& destination = names.destinations[place.destination];
  PairLabels labels{names.name, names.sources[place.source].name,
                    destination.name, group.LabelsOf(place)};
  if (names.name_addresses == NameAddresses::kAll && destination.address) {
    labels.address =
        ZonedAddress{*destination.address, destination.zone}.ToString();
  }
  const PairId id = recorder_.AddPair(labels);
  const Pair* const old = current_.Find(id);
  if (old == nullptr) next_.added.push_back(id);
  next_.set.pairs.push_back({id, place});
  const Group* const old_group =
      old == nullptr ? nullptr : &current_.groups[old->place.group];
  if ((old == nullptr || old_group->LabelsOf(old->place) != labels.extra) &&
      recorder_.LabelsOf(id)->extra != labels.extra) {
    next_.relabelled.emplace_back(id, ProbeRecorder::Prepare(labels));
  }
  const PairTraits traits = next_.set.TraitsOf(next_.set.pairs.back());
  if (old == nullptr || current_.TraitsOf(*old) != traits) {
    next_.described.emplace_back(id, traits);
  }
  const DispatchedPair spec = next_.set.SpecOf(next_.set.pairs.back());
  if (old == nullptr || old_group->interval != group.interval) {
    change->scheduled[place.group].pairs.push_back(spec);
  } else if (current_.SpecOf(*old) != spec) {
    change->updated.push_back(spec);
  }
}

void PairSet::Commit() noexcept {
  for (auto& [id, labels] : next_.relabelled) {
    recorder_.Relabel(id, std::move(labels));
  }
  for (const auto& [id, traits] : next_.described) {
    recorder_.Describe(id, traits);
  }
  for (const PairId id : next_.removed) recorder_.RemovePair(id);
  // After the new watches were added, so that names in both keep their entries
  // in the book.
  for (const AddressBook::Watch& watch : watches_) book_.Unwatch(watch);
  current_ = std::move(next_.set);
  watches_ = std::move(next_.watches);
  next_ = {};
}

void PairSet::Abandon() noexcept {
  for (const PairId id : next_.added) recorder_.RemovePair(id);
  for (const AddressBook::Watch& watch : next_.watches) book_.Unwatch(watch);
  next_ = {};
}

PairSet::Group PairSet::WatchGroup(const GroupConfig& config) {
  Group group{.interval = config.interval,
              .labels = config.labels,
              .settings = {},
              .destinations = {},
              .destination_labels = {}};
  MergeLabels(config, &group);
  group.destinations.reserve(config.destinations.size());
  for (const SourceConfig& source : config.sources) {
    group.settings.push_back(std::make_shared<const PairSettings>(
        PairSettings{.source = Noted(WatchSource(source, book_)),
                     .other_source = source.other_address,
                     .echo = config.echo,
                     .flow_renew_after = config.flow_renew_after,
                     .outage_after = config.outage_after}));
  }
  for (const DestinationConfig& destination : config.destinations) {
    // A name of which each address is a destination has none itself.
    const bool is_none =
        !destination.address && config.name_addresses == NameAddresses::kAll;
    group.destinations.push_back(
        is_none
            ? Endpoint()
            : Noted(WatchDestination(destination, config.dns_refresh, book_)));
  }
  return group;
}

void PairSet::MergeLabels(const GroupConfig& config, Group* group) {
  if (std::ranges::all_of(
          config.destinations,
          [](const auto& labels) { return labels.empty(); },
          &DestinationConfig::labels)) {
    return;
  }
  group->destination_labels.reserve(config.destinations.size());
  for (const DestinationConfig& destination : config.destinations) {
    if (destination.labels.empty()) {
      group->destination_labels.push_back(group->labels);
      continue;
    }
    Labels merged = config.labels;
    merged.insert(merged.end(), destination.labels.begin(),
                  destination.labels.end());
    group->destination_labels.emplace_back(merged);
  }
}

Endpoint PairSet::Noted(const WatchedEndpoint& end) {
  if (end.watch) next_.watches.push_back(*end.watch);
  return end.endpoint;
}

}  // namespace echo_exporter
