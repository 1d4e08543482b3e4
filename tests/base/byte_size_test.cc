#include "src/base/byte_size.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>

namespace echo_exporter {
namespace {

TEST(ByteSizeTest, ParsesANumberWithOrWithoutUnit) {
  EXPECT_EQ(ParseByteSize("0"), 0U);
  EXPECT_EQ(ParseByteSize("10b"), 10U);
  EXPECT_EQ(ParseByteSize("64MiB"), 64U << 20);
  EXPECT_EQ(ParseByteSize("64mb"), 64U << 20);
  EXPECT_EQ(ParseByteSize("64m"), 64U << 20);
  EXPECT_EQ(ParseByteSize("3TiB"), std::uint64_t{3} << 40);
  EXPECT_EQ(ParseByteSize("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  for (const char* const text :
       {"", " 1", "1 ", "-1", "MiB", "1.5M", "1X", "1MiBB",
        "18446744073709551616", "16777216T"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
}

TEST(ByteSizeTest, FormatsTheShortestTextThatIsReadBack) {
  EXPECT_EQ(FormatByteSize(0), "0");
  EXPECT_EQ(FormatByteSize(1023), "1023");
  EXPECT_EQ(FormatByteSize(1024), "1KiB");
  EXPECT_EQ(FormatByteSize(1536U << 10), "1536KiB");
  EXPECT_EQ(FormatByteSize(std::uint64_t{5} << 50), "5120TiB");
}

}  // namespace
}  // namespace echo_exporter
