#include "src/app/text_columns.h"

#include <gtest/gtest.h>

#include <string>

namespace echo_exporter {
namespace {

const std::string kColumn(30, ' ');

TEST(TextColumnsTest, PutsTheDescriptionBesideTheTerm) {
  EXPECT_EQ(TextColumns("--version", "Print the version and exit"),
            "  --version                   Print the version and exit\n");
}

TEST(TextColumnsTest, PutsTheDescriptionBelowALongTerm) {
  const std::string longest(26, 'x');
  EXPECT_EQ(TextColumns(longest, "a b"), "  " + longest + "  a b\n");
  EXPECT_EQ(TextColumns(longest + "y", "a b"),
            "  " + longest + "y\n" + kColumn + "a b\n");
}

TEST(TextColumnsTest, BreaksLinesAtSpacesBeforeTheEightyFirstCharacter) {
  const std::string half(25, 'x');
  const std::string rest(24, 'y');
  EXPECT_EQ(TextColumns("-n", half + " " + rest),
            "  -n" + std::string(26, ' ') + half + " " + rest + "\n");
  EXPECT_EQ(
      TextColumns("-n", half + " " + rest + "y z"),
      "  -n" + std::string(26, ' ') + half + "\n" + kColumn + rest + "y z\n");
}

TEST(TextColumnsTest, NeverBreaksAWord) {
  const std::string word(60, 'x');
  EXPECT_EQ(
      TextColumns("-n", word + " " + word),
      "  -n" + std::string(26, ' ') + word + "\n" + kColumn + word + "\n");
}

TEST(TextColumnsTest, MayHaveNoDescription) {
  EXPECT_EQ(TextColumns("-n", ""), "  -n\n");
}

}  // namespace
}  // namespace echo_exporter
