#include "src/http/gzip_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/gunzip.h"

namespace echo_exporter {
namespace {

TEST(AcceptsGzipTest, ReadsListsAndQualities) {
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.5, *",
                          "br , gzip ; q=1.0", "gzip;x=0"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip; q=0.000", "xgzip",
                         "br;q=1, gzip;Q=0", "gzip2", ",;,"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(GzipEncoderTest, GivesBackWhatItWasGiven) {
  std::string packed;
  const TextSink sink = [&](std::string_view piece) {
    packed += piece;
    return true;
  };
  std::string text;
  {
    GzipEncoder encoder(sink);
    for (int i = 0; i < 10'000; ++i) {
      const std::string line =
          "metric{label=\"" + std::to_string(i) + "\"} 1\n";
      EXPECT_TRUE(encoder.Write(line));
      text += line;
    }
    EXPECT_TRUE(encoder.Finish());
  }
  EXPECT_LT(packed.size(), text.size() / 4);
  EXPECT_EQ(Unzip(packed), text);
}

TEST(GzipEncoderTest, StopsWhenNobodyWantsMore) {
  int pieces = 0;
  const TextSink sink = [&](std::string_view) {
    ++pieces;
    return false;
  };
  GzipEncoder encoder(sink);
  encoder.Write("a");
  EXPECT_FALSE(encoder.Finish());
  EXPECT_FALSE(encoder.Write("b"));
  EXPECT_FALSE(encoder.Finish());
  EXPECT_EQ(pieces, 1);
}

}  // namespace
}  // namespace echo_exporter
