#include "src/web/pair_list.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "src/base/number_text.h"
#include "src/base/url_query.h"

namespace echo_exporter {
namespace {

constexpr std::size_t kMostPairs = 1000;  // in one response
constexpr std::size_t kMostVerdicts = 20;

// By PairState; a higher badness is worse.
constexpr std::array<std::string_view, kPairStateCount> kStateNames = {
    "up", "lossy", "down", "unresolved"};
constexpr std::array<int, kPairStateCount> kBadness = {0, 1, 3, 2};

using Number = std::optional<double>;

/// What pairs can be sorted by: a label, a number, or else badness.
struct Column {
  std::string_view name;
  std::string PairLabels::*label = nullptr;
  Number (*number)(const PairView&) = nullptr;
};
constexpr std::array<Column, 11> kColumns = {{
    {"state"},
    {"source", &PairLabels::source},
    {"destination", &PairLabels::destination},
    {"group", &PairLabels::group},
    {"loss_1m", nullptr, [](const PairView& pair) { return pair.loss_1m; }},
    {"loss_10m", nullptr, [](const PairView& pair) { return pair.loss_10m; }},
    {"loss_1h", nullptr, [](const PairView& pair) { return pair.loss_1h; }},
    {"rtt_median", nullptr,
     [](const PairView& pair) { return pair.rtt_median; }},
    {"rtt_p99", nullptr, [](const PairView& pair) { return pair.rtt_p99; }},
    {"consecutive_failures", nullptr,
     [](const PairView& pair) {
       return Number(pair.status.statistics.consecutive_failures);
     }},
    {"state_since", nullptr,
     [](const PairView& pair) {
       return Number(pair.since.time_since_epoch().count());
     }},
}};

char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool Contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return ToLower(a) == ToLower(b); }) !=
         text.end();
}

bool ParseStates(std::string_view text,
                 std::array<bool, kPairStateCount>* states) {
  states->fill(false);
  for (;;) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto found = std::ranges::find(kStateNames, name);
    if (found == kStateNames.end()) return false;
    (*states)[static_cast<std::size_t>(found - kStateNames.begin())] = true;
    if (name.size() == text.size()) return true;
    text.remove_prefix(name.size() + 1);
  }
}

/// Fills in what a parameter says. False for a value that is not allowed;
/// absent for an unknown parameter.
std::optional<bool> TakeParameter(std::string_view name, std::string_view value,
                                  std::optional<bool>* descending,
                                  PairQuery* query) {
  for (const auto& [known, text] :
       {std::pair("group", &query->group), std::pair("source", &query->source),
        std::pair("destination", &query->destination),
        std::pair("address", &query->address), std::pair("q", &query->text)}) {
    if (name != known) continue;
    *text = value;
    return true;
  }
  if (name == "state") return ParseStates(value, &query->states);
  if (name == "sort") {
    const auto found = std::ranges::find(kColumns, value, &Column::name);
    query->column = static_cast<std::size_t>(found - kColumns.begin());
    return found != kColumns.end();
  }
  if (name == "by") {
    query->by_group = value == "group";
    return query->by_group || value == "destination";
  }
  if (name == "order") {
    *descending = value == "desc";
    return value == "asc" || value == "desc";
  }
  if (name != "limit" && name != "after") return std::nullopt;
  const auto number = ParseNumber<std::size_t>(value);
  if (!number) return false;
  if (name == "after") {
    query->after = *number;
    return true;
  }
  query->limit = *number;
  return *number >= 1 && *number <= kMostPairs;
}

using PairIndices = std::vector<std::size_t>;

/// The pairs that share a source, destination or group.
struct Tally {
  Verdict::Kind kind;
  std::string_view name;
  PairIndices down{};
  std::size_t probed = 0;
};

std::vector<Tally> TallyPairs(const std::vector<PairView>& pairs) {
  std::vector<Tally> tallies;
  std::array<std::unordered_map<std::string_view, std::size_t>, 3> places;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].state == PairState::kUnresolved) continue;
    const PairLabels& labels = *pairs[i].status.labels;
    // By Verdict::Kind.
    const std::array<std::string_view, 3> names = {
        labels.source, labels.destination, labels.group};
    for (std::size_t kind = 0; kind < names.size(); ++kind) {
      const auto [place, is_new] =
          places[kind].try_emplace(names[kind], tallies.size());
      if (is_new) {
        tallies.push_back({static_cast<Verdict::Kind>(kind), names[kind]});
      }
      Tally& tally = tallies[place->second];
      ++tally.probed;
      if (pairs[i].state == PairState::kDown) tally.down.push_back(i);
    }
  }
  return tallies;
}

std::string TextOf(const Tally& tally) {
  const std::string name(tally.name);
  switch (tally.kind) {
    case Verdict::Kind::kSource:
      return "Every pair from source " + name + " fails";
    case Verdict::Kind::kDestination:
      return "Every pair to " + name + " fails";
    case Verdict::Kind::kGroup:
      return "All pairs of group " + name + " fail";
  }
  return "";
}

// The largest explanation first; a further one only where it explains at least
// two pairs more, so that one cause is not named three times.
std::vector<Verdict> FindVerdicts(const std::vector<PairView>& pairs) {
  std::vector<Tally> tallies = TallyPairs(pairs);
  std::erase_if(tallies, [](const Tally& tally) {
    return tally.down.size() < 2 || tally.down.size() < tally.probed;
  });
  std::ranges::stable_sort(tallies, [](const Tally& a, const Tally& b) {
    return std::tuple(b.down.size(), a.kind) <
           std::tuple(a.down.size(), b.kind);
  });
  std::vector<Verdict> verdicts;
  std::vector<bool> is_explained(pairs.size());
  for (const Tally& tally : tallies) {
    if (verdicts.size() == kMostVerdicts) break;
    const auto news = std::ranges::count_if(
        tally.down, [&](std::size_t i) { return !is_explained[i]; });
    if (news < 2) continue;
    Verdict verdict{.kind = tally.kind,
                    .name = std::string(tally.name),
                    .text = TextOf(tally),
                    .since = {},
                    .pairs = tally.down.size()};
    for (const std::size_t i : tally.down) {
      is_explained[i] = true;
      verdict.since = std::max(verdict.since, pairs[i].since);
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

}  // namespace

std::string_view NameOf(PairState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::string_view AddressLabelOf(const PairLabels& labels) {
  for (const auto& [name, value] : labels.extra) {
    if (name == "address") return value;
  }
  return "";
}

bool IsWorse(const PairView& a, const PairView& b) {
  const auto badness = [](const PairView& pair) {
    return std::tuple(kBadness[static_cast<std::size_t>(pair.state)],
                      pair.loss_10m.value_or(0), pair.since);
  };
  return badness(a) > badness(b);
}

bool PairQuery::Matches(const PairView& pair) const {
  const PairLabels& labels = *pair.status.labels;
  const auto fits = [](std::string_view wanted, std::string_view value) {
    return wanted.empty() || wanted == value;
  };
  if (!states[static_cast<std::size_t>(pair.state)] ||
      !fits(group, labels.group) || !fits(source, labels.source) ||
      !fits(destination, labels.destination) ||
      !fits(address, AddressLabelOf(labels))) {
    return false;
  }
  if (text.empty() || Contains(labels.destination, text) ||
      Contains(labels.source, text) || Contains(labels.group, text)) {
    return true;
  }
  for (const auto& [name, value] : labels.extra) {
    if (Contains(value, text)) return true;
  }
  const auto& route = pair.status.route;
  return route &&
         (Contains(route->destination.ToString(), text) ||
          (route->source && Contains(route->source->ToString(), text)));
}

Result<PairQuery> ParsePairQuery(std::string_view query, std::size_t limit,
                                 bool is_strict) {
  const auto reject = [](std::string sentence) {
    return Error{ErrorCode::kInvalidArgument, std::move(sentence)};
  };
  PairQuery result;
  result.limit = limit;
  std::optional<bool> descending;
  const auto parameters = ParseUrlQuery(query);
  if (!parameters.ok() && is_strict) return parameters.error();
  if (!parameters.ok()) return result;
  for (const auto& [name, value] : parameters.value()) {
    if (value.empty()) continue;
    PairQuery with = result;
    const auto good = TakeParameter(name, value, &descending, &with);
    if (good.value_or(false)) {
      result = std::move(with);
    } else if (is_strict && !good) {
      return reject("Unknown parameter " + QuotedForClient(name) +
                    ": q, group, source, destination, address, state, sort, "
                    "order, limit, after and by are allowed.");
    } else if (is_strict) {
      return reject("Parameter " + name + " cannot be " +
                    QuotedForClient(value) + ".");
    }
  }
  // Names and badness begin with the first, numbers with the largest.
  result.is_reversed =
      descending.value_or(kColumns[result.column].number != nullptr);
  return result;
}

PairList MakePairList(std::vector<PairView> pairs, WallTime time) {
  PairList list{.time = time, .pairs = std::move(pairs)};
  std::unordered_map<std::string_view, std::size_t> groups;
  for (const PairView& pair : list.pairs) {
    const auto state = static_cast<std::size_t>(pair.state);
    const std::string& group = pair.status.labels->group;
    const auto [place, is_new] = groups.try_emplace(group, groups.size());
    if (is_new) list.groups.push_back({.name = group});
    ++list.counts[state];
    ++list.groups[place->second].counts[state];
  }
  list.verdicts = FindVerdicts(list.pairs);
  return list;
}

std::vector<const PairView*> Select(const PairList& list,
                                    const PairQuery& query) {
  const Column& column = kColumns[query.column];
  const bool is_reversed = query.is_reversed;
  std::vector<const PairView*> pairs;
  for (const PairView& pair : list.pairs) {
    if (query.Matches(pair)) pairs.push_back(&pair);
  }
  const auto is_before = [&column](const PairView& a, const PairView& b) {
    if (column.label == nullptr) return IsWorse(a, b);
    return (*a.status.labels).*column.label < (*b.status.labels).*column.label;
  };
  std::ranges::stable_sort(pairs, [&](const PairView* a, const PairView* b) {
    if (column.number == nullptr) {
      return is_reversed ? is_before(*b, *a) : is_before(*a, *b);
    }
    const Number of_a = column.number(*a);
    const Number of_b = column.number(*b);
    // In both orders, what is absent comes last.
    if (!of_a || !of_b) return of_a.has_value() && !of_b;
    return is_reversed ? *of_b < *of_a : *of_a < *of_b;
  });
  return pairs;
}

}  // namespace echo_exporter
