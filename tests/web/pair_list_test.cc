#include "src/web/pair_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/web/pair_views.h"

namespace echo_exporter {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> VerdictsOf(std::vector<PairView> pairs) {
  std::vector<std::string> texts;
  for (const Verdict& verdict : MakePairList(std::move(pairs), {}).verdicts) {
    texts.push_back(verdict.text + ": " + std::to_string(verdict.pairs));
  }
  return texts;
}

std::vector<std::string> Selected(std::vector<PairView> pairs,
                                  const std::string& query) {
  const PairList list = MakePairList(std::move(pairs), {});
  const auto parsed = ParsePairQuery(query, 200, /*is_strict=*/true);
  if (!parsed.ok()) return {parsed.error().message};
  std::vector<std::string> names;
  for (const PairView* pair : Select(list, parsed.value())) {
    names.push_back(pair->status.labels->destination);
  }
  return names;
}

/// Each of 3 sources to each of 4 destinations in one group; `down`: letter of
/// the source and of the destination.
std::vector<PairView> Mesh(const std::vector<std::string>& down) {
  std::vector<PairView> pairs;
  for (const char source : {'a', 'b', 'c'}) {
    for (const char destination : {'w', 'x', 'y', 'z'}) {
      const std::string name{source, destination};
      const bool is_down = std::ranges::find(down, name) != down.end();
      pairs.push_back(MakeView("g", {source}, {destination},
                               is_down ? PairState::kDown : PairState::kUp));
    }
  }
  return pairs;
}

TEST(PairListTest, CountsPairsByStateAndGroup) {
  const PairList list =
      MakePairList({MakeView("h", "s", "1", PairState::kDown),
                    MakeView("g", "s", "2"), MakeView("h", "s", "3")},
                   {});
  EXPECT_THAT(list.counts, ElementsAre(2, 0, 1, 0));
  ASSERT_EQ(list.groups.size(), 2U);
  EXPECT_EQ(list.groups[0].name, "h");
  EXPECT_THAT(list.groups[0].counts, ElementsAre(1, 0, 1, 0));
}

TEST(PairListTest, NamesTheSourceOfWhichEveryPairFails) {
  EXPECT_THAT(VerdictsOf(Mesh({"bw", "bx", "by", "bz"})),
              ElementsAre("Every pair from source b fails: 4"));
  EXPECT_THAT(VerdictsOf(Mesh({"bw", "bx", "by"})), IsEmpty());
}

TEST(PairListTest, NamesTheDestinationToWhichEveryPairFails) {
  EXPECT_THAT(VerdictsOf(Mesh({"ax", "bx", "cx", "ay"})),
              ElementsAre("Every pair to x fails: 3"));
}

TEST(PairListTest, NamesOneCauseOnce) {
  auto pairs = Mesh(
      {"aw", "ax", "ay", "az", "bw", "bx", "by", "bz", "cw", "cx", "cy", "cz"});
  pairs.push_back(MakeView("h", "a", "v"));
  EXPECT_THAT(VerdictsOf(pairs), ElementsAre("All pairs of group g fail: 12"));
  // One source is all there is: it, and not its group too.
  EXPECT_THAT(VerdictsOf({MakeView("g", "s", "1", PairState::kDown),
                          MakeView("g", "s", "2", PairState::kDown)}),
              ElementsAre("Every pair from source s fails: 2"));
}

TEST(PairListTest, NamesASecondCauseWhereItExplainsMore) {
  EXPECT_THAT(VerdictsOf(Mesh({"bw", "bx", "by", "bz", "ax", "cx"})),
              ElementsAre("Every pair from source b fails: 4",
                          "Every pair to x fails: 3"));
}

TEST(PairListTest, OnePairIsNoVerdictAndAnUnresolvedOneCountsNowhere) {
  EXPECT_THAT(VerdictsOf({MakeView("g", "s", "1", PairState::kDown)}),
              IsEmpty());
  EXPECT_THAT(VerdictsOf({MakeView("g", "s", "1", PairState::kDown),
                          MakeView("g", "s", "2", PairState::kUnresolved),
                          MakeView("g", "s", "3", PairState::kDown)}),
              ElementsAre("Every pair from source s fails: 2"));
  EXPECT_THAT(VerdictsOf({MakeView("g", "s", "1", PairState::kUnresolved),
                          MakeView("g", "s", "2", PairState::kUnresolved)}),
              IsEmpty());
}

TEST(PairListTest, AVerdictIsSinceTheLastOfItsPairsFailed) {
  auto pairs = Mesh({"bw", "bx", "by", "bz"});
  pairs[4].since = WallTime(seconds(5));
  pairs[6].since = WallTime(seconds(9));
  EXPECT_EQ(MakePairList(pairs, {}).verdicts.at(0).since, WallTime(seconds(9)));
}

TEST(PairListTest, TheWorstComesFirst) {
  std::vector<PairView> pairs;
  const auto add = [&pairs](const std::string& name, PairState state,
                            double loss, int since) {
    pairs.push_back(MakeView("g", "s", name, state));
    pairs.back().loss_10m = loss;
    pairs.back().since = WallTime(seconds(since));
  };
  add("up", PairState::kUp, 0, 1);
  add("up now", PairState::kUp, 0, 9);
  add("lossy", PairState::kLossy, 0.1, 1);
  add("lossier", PairState::kLossy, 0.2, 1);
  add("unresolved", PairState::kUnresolved, 0, 1);
  add("down", PairState::kDown, 0.3, 1);
  EXPECT_THAT(Selected(pairs, ""), ElementsAre("down", "unresolved", "lossier",
                                               "lossy", "up now", "up"));
  EXPECT_THAT(
      Selected(pairs, "order=desc"),
      ElementsAre("up", "up now", "lossy", "lossier", "unresolved", "down"));
}

TEST(PairListTest, SortsByAColumnWithWhatIsAbsentLast) {
  std::vector<PairView> pairs = {MakeView("g", "s", "none"),
                                 MakeView("g", "s", "small"),
                                 MakeView("g", "s", "large")};
  pairs[1].rtt_median = 0.001;
  pairs[2].rtt_median = 0.1;
  EXPECT_THAT(Selected(pairs, "sort=rtt_median"),
              ElementsAre("large", "small", "none"));
  EXPECT_THAT(Selected(pairs, "sort=rtt_median&order=asc"),
              ElementsAre("small", "large", "none"));
  EXPECT_THAT(Selected(pairs, "sort=destination"),
              ElementsAre("large", "none", "small"));
  for (const char* const column :
       {"state", "source", "group", "loss_1m", "loss_10m", "loss_1h", "rtt_p99",
        "consecutive_failures", "state_since"}) {
    EXPECT_EQ(Selected(pairs, std::string("sort=") + column).size(), 3U)
        << column;
  }
}

TEST(PairListTest, SelectsByNamesTextAndState) {
  std::vector<PairView> pairs = {
      MakeView("g", "s", "Alpha"), MakeView("g", "t", "beta", PairState::kDown),
      MakeView("h", "s", "gamma", PairState::kUnresolved)};
  EXPECT_THAT(Selected(pairs, "group=g&sort=source"),
              ElementsAre("Alpha", "beta"));
  EXPECT_THAT(Selected(pairs, "source=t"), ElementsAre("beta"));
  EXPECT_THAT(Selected(pairs, "destination=gamma&group="),
              ElementsAre("gamma"));
  EXPECT_THAT(Selected(pairs, "q=ALPH"), ElementsAre("Alpha"));
  EXPECT_THAT(Selected(pairs, "q=192.0.2&sort=destination"),
              ElementsAre("Alpha", "beta"));
  EXPECT_THAT(Selected(pairs, "state=down,unresolved"),
              ElementsAre("beta", "gamma"));
  EXPECT_THAT(Selected(pairs, "q=%3Cscript%3E"), IsEmpty());
}

TEST(PairListTest, RejectsWhatItDoesNotKnow) {
  EXPECT_THAT(Selected({}, "grup=g"),
              ElementsAre("Unknown parameter \"grup\": q, group, source, "
                          "destination, address, state, sort, order, limit, "
                          "after and by are allowed."));
  for (const char* const query :
       {"state=bad", "state=up,", "sort=x", "order=up", "limit=0", "limit=1001",
        "limit=-1", "after=x", "by=source", "limit=99999999999999999999"}) {
    const auto answer = Selected({}, query);
    ASSERT_EQ(answer.size(), 1U) << query;
    EXPECT_THAT(answer[0], testing::StartsWith("Parameter "));
  }
  EXPECT_THAT(Selected({}, "q=%"),
              ElementsAre(testing::HasSubstr("correctly encoded")));
  // The page's own parameters, and mistakes in links to it, are no errors.
  const auto query = ParsePairQuery("view=pair&limit=0&state=bad&q=a", 200,
                                    /*is_strict=*/false);
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query.value().limit, 200U);
  EXPECT_EQ(query.value().text, "a");
  EXPECT_THAT(query.value().states, testing::Each(true));
}

}  // namespace
}  // namespace echo_exporter
