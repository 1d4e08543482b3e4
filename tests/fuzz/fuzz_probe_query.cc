// libFuzzer target: /probe's query and, behind the first line feed, the header
// with the scrape timeout.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "src/probe/probe_query.h"

namespace {

using echo_exporter::ParseProbeQuery;

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsControl(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line_feed = input.find('\n');
  std::optional<std::string> scrape_timeout;
  if (line_feed != std::string_view::npos) {
    scrape_timeout = input.substr(line_feed + 1);
  }

  const auto result =
      ParseProbeQuery(input.substr(0, line_feed), scrape_timeout);
  if (result.ok()) {
    const auto& query = result.value();
    Require(!query.target.empty() && query.target.size() <= 255);
    Require(std::none_of(query.target.begin(), query.target.end(), IsControl));
    Require(!query.module.empty());
    Require(query.count >= 1 && query.count <= 100);
    Require(query.scrape_timeout.has_value() == scrape_timeout.has_value());
    Require(!query.scrape_timeout || query.scrape_timeout->count() > 0);
  } else {
    const std::string& message = result.error().message;
    Require(!message.empty() && message.size() < 250);
    Require(std::all_of(message.begin(), message.end(),
                        [](char c) { return c >= ' ' && c <= '~'; }));
  }
  return 0;
}
