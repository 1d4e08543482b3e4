#include "src/base/id_table.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace echo_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::pair<std::uint32_t, std::string>> AllOf(
    const IdTable<std::string>& table) {
  std::vector<std::pair<std::uint32_t, std::string>> all;
  table.ForEach([&all](std::uint32_t id, const std::string& value) {
    all.emplace_back(id, value);
  });
  return all;
}

TEST(IdTableTest, FindsWhatWasInserted) {
  IdTable<std::string> table;
  EXPECT_EQ(table.Find(0), nullptr);
  EXPECT_EQ(table.Find(4'000'000'000), nullptr);
  table.Insert(0, "a");
  table.Insert(200, "b");
  EXPECT_EQ(*table.Find(0), "a");
  EXPECT_EQ(table.At(200), "b");
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.Find(100), nullptr);
  EXPECT_EQ(table.size(), 2U);
}

TEST(IdTableTest, GoesThroughThemByAscendingId) {
  IdTable<std::string> table;
  table.Insert(700, "c");
  table.Insert(63, "a");
  table.Insert(64, "b");
  EXPECT_THAT(AllOf(table),
              ElementsAre(Pair(63U, "a"), Pair(64U, "b"), Pair(700U, "c")));
}

TEST(IdTableTest, ErasesOneAndKeepsTheOthersInPlace) {
  IdTable<std::string> table;
  table.Insert(5, "a");
  const std::string* const kept = &table.Insert(6, "b");
  table.Insert(90, "c");
  table.Erase(5);
  table.Erase(5);
  table.Erase(7);
  table.Erase(90);
  table.Erase(4'000'000'000);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.Find(6), kept);
  EXPECT_THAT(AllOf(table), ElementsAre(Pair(6U, "b")));
  table.Insert(90, "d");
  EXPECT_EQ(table.At(90), "d");
}

}  // namespace
}  // namespace echo_exporter
