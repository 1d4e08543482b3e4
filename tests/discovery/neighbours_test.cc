#include "src/discovery/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kCount = 10;

using Choices = std::map<std::string, std::set<std::string>>;

std::vector<std::string> Agents(int begin, int end) {
  std::vector<std::string> agents;
  for (int i = begin; i < end; ++i) {
    agents.push_back("10.0." + std::to_string(i / 250) + '.' +
                     std::to_string(i % 250 + 1));
  }
  return agents;
}

/// What each agent of the list chooses among the others.
Choices ChooseAll(const std::vector<std::string>& agents) {
  Choices choices;
  std::vector<std::string> others(agents.begin() + 1, agents.end());
  for (std::size_t self = 0; self < agents.size(); ++self) {
    for (const auto i : ChooseNeighbours(agents[self], others, kCount)) {
      choices[agents[self]].insert(others[i]);
    }
    if (self < others.size()) others[self] = agents[self];
  }
  return choices;
}

struct Difference {
  int choices = 0;
  int begun = 0;      ///< of agents in both, a new choice
  int abandoned = 0;  ///< of agents in both, of a target that is in both
};

Difference Compare(const Choices& before, const Choices& after) {
  Difference difference;
  for (const auto& [agent, chosen] : before) {
    difference.choices += static_cast<int>(chosen.size());
    const auto now = after.find(agent);
    if (now == after.end()) continue;
    for (const std::string& target : chosen) {
      if (after.contains(target) && !now->second.contains(target)) {
        ++difference.abandoned;
      }
    }
    for (const std::string& target : now->second) {
      if (!chosen.contains(target)) ++difference.begun;
    }
  }
  return difference;
}

TEST(NeighboursTest, EachOfAThousandAgentsIsWatchedByHalfOfTenAtLeast) {
  const Choices choices = ChooseAll(Agents(0, 1000));
  std::map<std::string, int> watchers;
  for (const auto& [agent, chosen] : choices) {
    EXPECT_EQ(chosen.size(), kCount);
    EXPECT_FALSE(chosen.contains(agent));
    for (const std::string& target : chosen) ++watchers[target];
  }
  int fewest = 1000;
  int most = 0;
  for (const std::string& agent : Agents(0, 1000)) {
    fewest = std::min(fewest, watchers[agent]);
    most = std::max(most, watchers[agent]);
  }
  std::cout << "watchers of an agent: " << fewest << " to " << most << "\n";
  EXPECT_GE(fewest, static_cast<int>(kCount) / 2);
  EXPECT_LE(most, static_cast<int>(kCount) * 3 / 2);
}

TEST(NeighboursTest, AHundredthOfTheListMovesAHundredthOfTheChoices) {
  const Choices before = ChooseAll(Agents(0, 1000));
  const Difference removed = Compare(before, ChooseAll(Agents(0, 990)));
  const Difference added = Compare(before, ChooseAll(Agents(0, 1010)));
  const Difference replaced = Compare(before, ChooseAll(Agents(10, 1010)));
  for (const auto& [what, difference] : {std::pair("removed", removed),
                                         {"added", added},
                                         {"replaced", replaced}}) {
    std::cout << what << " 1 %: " << difference.begun << " begun, "
              << difference.abandoned << " abandoned of " << difference.choices
              << "\n";
    EXPECT_LE(difference.abandoned * 100, difference.choices) << what;
  }
  // What goes is replaced, what comes is watched, and nothing else moves.
  EXPECT_LE(removed.begun * 100, removed.choices);
  EXPECT_LE(added.begun * 100, added.choices);
  EXPECT_LE(replaced.begun * 100, replaced.choices * 2);
}

TEST(NeighboursTest, TakesAllWhereThereAreNoMore) {
  EXPECT_THAT(ChooseNeighbours("a", {}, 3), IsEmpty());
  EXPECT_THAT(ChooseNeighbours("a", {"b", "c", "d"}, 3), ElementsAre(0, 1, 2));
  EXPECT_EQ(ChooseNeighbours("a", {"b", "c", "d", "e"}, 3).size(), 3U);
}

TEST(NeighboursTest, TheOrderOfTheListDoesNotMatter) {
  std::vector<std::string> targets = Agents(0, 100);
  const auto names = [&targets](const std::vector<std::size_t>& chosen) {
    std::set<std::string> set;
    for (const auto i : chosen) set.insert(targets[i]);
    return set;
  };
  const auto before = names(ChooseNeighbours("me", targets, 7));
  std::ranges::reverse(targets);
  EXPECT_EQ(names(ChooseNeighbours("me", targets, 7)), before);
}

// Agents of different versions and systems must agree.
TEST(NeighboursTest, TheHashNeverChanges) {
  EXPECT_EQ(SpreadHash("", 0), 14087677454934409008U);
  EXPECT_EQ(SpreadHash("edge-1.example.net", 3), 16100348219088950875U);
}

}  // namespace
}  // namespace echo_exporter
