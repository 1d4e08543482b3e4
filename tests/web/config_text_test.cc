#include "src/web/config_text.h"

#include <gtest/gtest.h>

#include <memory>

namespace echo_exporter {
namespace {

std::shared_ptr<const ExporterConfig> Config(std::uint32_t max_in_flight) {
  ExporterConfig config;
  config.max_in_flight = max_in_flight;
  return std::make_shared<const ExporterConfig>(config);
}

TEST(ConfigTextTest, IsOneForAllWhoReadIt) {
  ConfigText text;
  const auto config = Config(1);
  auto first = text.Get(config);
  EXPECT_EQ(*first, ConfigToToml(*config));
  EXPECT_EQ(text.Get(config), first);
  EXPECT_EQ(text.Get(Config(1)), first);  // a reload without a change
  const std::weak_ptr<const std::string> watched = first;
  first.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(ConfigTextTest, FollowsTheConfiguration) {
  ConfigText text;
  const auto first = text.Get(Config(1));
  const auto second = text.Get(Config(2));
  EXPECT_NE(*second, *first);
  EXPECT_EQ(*second, ConfigToToml(*Config(2)));
}

}  // namespace
}  // namespace echo_exporter
