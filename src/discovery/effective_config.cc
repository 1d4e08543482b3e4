#include "src/discovery/effective_config.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "src/base/host_name.h"
#include "src/discovery/neighbours.h"

namespace echo_exporter {
namespace {

/// A destination that a group may get.
struct Candidate {
  const DestinationConfig* destination = nullptr;
  const ListedTarget* target = nullptr;  ///< null: of the configuration
  std::size_t list = 0;                  ///< of `target`
  std::string key = {};                  ///< CanonicalTarget()
};

TargetSettings SettingsOf(const Candidate& candidate) {
  return candidate.target ? candidate.target->settings : TargetSettings();
}

bool SameButForPlace(const Candidate& a, const Candidate& b) {
  return a.key == b.key && SettingsOf(a) == SettingsOf(b) &&
         a.destination->labels == b.destination->labels;
}

/// Merges one group.
class GroupMerge {
 public:
  GroupMerge(const ExporterConfig& file, std::size_t group,
             const std::vector<ListInUse>& lists,
             const Surroundings& surroundings, EffectiveConfig* effective)
      : file_(file),
        group_(file.groups[group]),
        lists_(lists),
        surroundings_(surroundings),
        effective_(*effective) {
    for (const DestinationConfig& destination : group_.destinations) {
      AddCandidate({.destination = &destination});
    }
    for (std::size_t i = 0; i < lists.size(); ++i) {
      if (lists[i].group != group) continue;
      for (const ListedTarget& target : lists[i].list->targets) {
        AddCandidate(
            {.destination = &target.destination, .target = &target, .list = i});
      }
    }
  }

  void Run();

 private:
  void AddCandidate(Candidate candidate) {
    candidate.key = candidate.destination->CanonicalTarget();
    candidates_.push_back(std::move(candidate));
  }
  bool IsOwn(const IpAddress& address) const {
    return std::ranges::find(surroundings_.own_addresses, address) !=
           surroundings_.own_addresses.end();
  }
  std::vector<IpAddress> AddressesOf(const Candidate& candidate) const {
    return surroundings_.addresses_of(candidate.destination->HostName(),
                                      group_.dns_refresh);
  }
  bool IsSelf(const Candidate& candidate) const;
  void RemoveSelf();
  void KeepNeighbours();
  bool Rejects(const Candidate& candidate);
  void Reject(const Candidate& candidate, const std::string& sentence);
  std::string PlaceOf(const Candidate& candidate) const;
  std::uint32_t AddGroup(GroupConfig group) {
    effective_.config.groups.push_back(std::move(group));
    return static_cast<std::uint32_t>(effective_.config.groups.size() - 1);
  }
  std::optional<std::uint32_t> VariantFor(const Candidate& candidate);
  void Add(const Candidate& candidate);
  void AddTo(std::uint32_t group, const Candidate& candidate,
             DestinationConfig destination);
  bool IsFirst(const Candidate& candidate, const std::string& source,
               const DestinationConfig& destination);

  const ExporterConfig& file_;
  const GroupConfig& group_;
  const std::vector<ListInUse>& lists_;
  const Surroundings& surroundings_;
  EffectiveConfig& effective_;
  std::vector<Candidate> candidates_;
  std::string self_;   ///< among the targets, else the host's name
  GroupConfig blank_;  ///< the group without destinations
  std::map<TargetSettings, std::uint32_t> variants_;
  /// By source, name and address: who has the pair.
  std::unordered_map<std::string, const Candidate*> pairs_;
};

void GroupMerge::Run() {
  self_ = surroundings_.hostname;
  if (group_.ExcludesSelf()) RemoveSelf();
  std::uint64_t skipped = candidates_.size();
  if (group_.neighbours > 0) KeepNeighbours();
  skipped -= candidates_.size();
  effective_.neighbours_skipped.push_back(skipped);
  blank_ = group_;
  blank_.destinations.clear();
  // Even if no destination is left.
  variants_[TargetSettings()] = AddGroup(blank_);
  for (const Candidate& candidate : candidates_) {
    if (effective_.too_many) return;
    Add(candidate);
  }
}

bool GroupMerge::IsSelf(const Candidate& candidate) const {
  const auto& address = candidate.destination->address;
  if (address) return candidate.destination->zone.empty() && IsOwn(*address);
  const std::string host = LowerCase(surroundings_.hostname);
  if (candidate.key == host) return true;
  const std::vector<IpAddress> addresses = AddressesOf(candidate);
  // Until they are known, a name that begins as this host's is taken for it, so
  // that the choice of neighbours need not change soon after the start.
  const auto first_label = [](std::string_view name) {
    return name.substr(0, name.find('.'));
  };
  if (addresses.empty()) return first_label(candidate.key) == first_label(host);
  return group_.name_addresses == NameAddresses::kFirst &&
         std::ranges::any_of(addresses,
                             [this](const auto& a) { return IsOwn(a); });
}

void GroupMerge::RemoveSelf() {
  std::optional<std::string> self;
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    if (!IsSelf(candidate)) return false;
    if (!self || candidate.key < *self) self = candidate.key;
    return true;
  });
  if (self) self_ = *std::move(self);
}

void GroupMerge::KeepNeighbours() {
  std::vector<std::string> targets;
  std::unordered_set<std::string_view> seen;
  for (const Candidate& candidate : candidates_) {
    if (seen.insert(candidate.key).second) targets.push_back(candidate.key);
  }
  std::unordered_set<std::string_view> chosen;
  for (const auto i : ChooseNeighbours(self_, targets, group_.neighbours)) {
    chosen.insert(targets[i]);
  }
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    return !chosen.contains(candidate.key);
  });
}

std::string GroupMerge::PlaceOf(const Candidate& candidate) const {
  if (candidate.target == nullptr) {
    return "group \"" + group_.name + "\" of the configuration";
  }
  return lists_[candidate.list].list->name + ':' +
         std::to_string(candidate.target->line) + ':' +
         std::to_string(candidate.target->column);
}

void GroupMerge::Reject(const Candidate& candidate,
                        const std::string& sentence) {
  if (candidate.target == nullptr) return;  // the configuration has told of it
  ++effective_.rejected[candidate.list];
  if (effective_.rejections.size() == kMostRejections) return;
  effective_.rejections.push_back(PlaceOf(candidate) + ": " + sentence);
}

bool GroupMerge::Rejects(const Candidate& candidate) {
  if (candidate.target == nullptr) return false;
  for (const auto& [name, value] : candidate.destination->labels) {
    if (name == "address" && group_.name_addresses == NameAddresses::kAll) {
      Reject(candidate,
             "label \"address\" is one that addresses = \"all\" adds");
      return true;
    }
    if (std::ranges::find(group_.labels, name, &Labels::value_type::first) !=
        group_.labels.end()) {
      Reject(candidate, "label \"" + name + "\" is one of the group \"" +
                            group_.name + "\" already");
      return true;
    }
  }
  return false;
}

std::optional<std::uint32_t> GroupMerge::VariantFor(
    const Candidate& candidate) {
  const TargetSettings own = SettingsOf(candidate);
  const auto [place, is_new] = variants_.try_emplace(own);
  if (!is_new) return place->second;
  GroupConfig variant = blank_;
  EchoSettings& echo = variant.echo;
  variant.interval = own.interval.value_or(variant.interval);
  echo.timeout = own.timeout.value_or(echo.timeout);
  echo.payload_size = own.payload_size.value_or(echo.payload_size);
  if (!own.source.empty()) {
    auto parsed = ParseSource(own.source, file_.sources);
    if (!parsed.ok()) {
      variants_.erase(place);
      Reject(candidate, "__echo_source__: " + parsed.error().message);
      return std::nullopt;
    }
    variant.sources = {std::move(parsed).value()};
  }
  place->second = AddGroup(std::move(variant));
  return place->second;
}

void GroupMerge::Add(const Candidate& candidate) {
  if (Rejects(candidate)) return;
  const auto group = VariantFor(candidate);
  if (!group) return;
  const DestinationConfig& destination = *candidate.destination;
  if (effective_.config.probe.allow_destinations) {
    effective_.config.probe.destinations.insert(candidate.key);
  }
  if (destination.address || group_.name_addresses == NameAddresses::kFirst) {
    AddTo(*group, candidate, destination);
    return;
  }
  std::vector<IpAddress> addresses = AddressesOf(candidate);
  if (addresses.empty()) {
    // Visible as what does not resolve.
    AddTo(*group, candidate, destination);
    return;
  }
  std::ranges::sort(addresses);
  for (const IpAddress& address : addresses) {
    if (group_.ExcludesSelf() && IsOwn(address)) continue;
    DestinationConfig one = destination;
    one.address = address;
    AddTo(*group, candidate, std::move(one));
  }
}

void GroupMerge::AddTo(std::uint32_t group, const Candidate& candidate,
                       DestinationConfig destination) {
  GroupConfig& to = effective_.config.groups[group];
  const auto index = static_cast<std::uint32_t>(to.destinations.size());
  bool can_pair = false;
  bool has_pair = false;
  for (std::uint32_t s = 0; s < to.sources.size(); ++s) {
    if (!CanPair(to.sources[s], destination, to.echo.ip_version)) continue;
    can_pair = true;
    if (!IsFirst(candidate, to.sources[s].name, destination)) continue;
    has_pair = true;
    effective_.config.pairs.push_back({group, s, index});
  }
  const bool from_name = destination.address && !candidate.destination->address;
  if (has_pair) to.destinations.push_back(std::move(destination));
  if (!can_pair && !from_name) {
    Reject(candidate,
           "target \"" + candidate.destination->name +
               "\": neither a source nor ip_version allows its IP version");
  }
  const std::size_t pairs = effective_.config.pairs.size();
  effective_.too_many = pairs > file_.max_pairs && pairs > file_.pairs.size();
}

bool GroupMerge::IsFirst(const Candidate& candidate, const std::string& source,
                         const DestinationConfig& destination) {
  std::string prefix = source + '\0';
  const bool from_name = destination.address && !candidate.destination->address;
  const std::string suffix =
      from_name ? '\0' + destination.address->ToString() : std::string();
  const auto [place, is_new] =
      pairs_.try_emplace(prefix + candidate.key + suffix, &candidate);
  const Candidate* first = place->second;
  // The label `destination` may be another text; two pairs cannot share it.
  if (is_new && destination.name != candidate.key) {
    first = pairs_.try_emplace(prefix + destination.name + suffix, &candidate)
                .first->second;
  }
  if (first == &candidate) return is_new;
  if (!SameButForPlace(*first, candidate) &&
      effective_.conflicts.size() < kMostRejections) {
    effective_.conflicts.push_back(PlaceOf(*first) + " and " +
                                   PlaceOf(candidate));
  }
  return false;
}

}  // namespace

bool IsDynamic(const GroupConfig& group) {
  return group.HasLists() || group.name_addresses == NameAddresses::kAll ||
         group.ExcludesSelf();
}

EffectiveConfig Merge(const ExporterConfig& file,
                      const std::vector<ListInUse>& lists,
                      const Surroundings& surroundings) {
  EffectiveConfig effective;
  effective.rejected.resize(lists.size());
  effective.config = file;
  effective.config.groups.clear();
  effective.config.pairs.clear();
  auto pair = file.pairs.begin();
  for (std::size_t g = 0; g < file.groups.size(); ++g) {
    const auto end =
        std::find_if(pair, file.pairs.end(),
                     [g](const PairConfig& place) { return place.group != g; });
    if (IsDynamic(file.groups[g])) {
      GroupMerge(file, g, lists, surroundings, &effective).Run();
    } else {
      effective.neighbours_skipped.push_back(0);
      const auto index =
          static_cast<std::uint32_t>(effective.config.groups.size());
      effective.config.groups.push_back(file.groups[g]);
      for (auto p = pair; p != end; ++p) {
        effective.config.pairs.push_back({index, p->source, p->destination});
      }
    }
    pair = end;
  }
  return effective;
}

}  // namespace echo_exporter
