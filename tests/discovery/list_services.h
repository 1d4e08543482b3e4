#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/discovery/kept_list.h"
#include "src/discovery/list_source.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {

/// What a source of lists needs, and the lists it has.
class ListSourceFixture : public testing::Test {
 protected:
  static std::string ListOf(const std::string& target) {
    return "[{\"targets\": [\"" + target + "\"]}]";
  }

  /// Uses what is new, as a committed plan does; the names of the targets of
  /// all lists in use.
  static std::vector<std::string> Use(ListSource& source) {
    std::vector<std::string> names;
    for (const auto& list : source.Lists()) {
      list->Accept(list->Get(/*newer=*/true));
      const auto used = list->Get(/*newer=*/false);
      if (used == nullptr) continue;
      for (const ListedTarget& target : used->targets) {
        names.push_back(target.destination.name);
      }
    }
    return names;
  }

  static std::uint64_t Failures(ListSource& source) {
    std::uint64_t failures = 0;
    for (const auto& list : source.Lists()) failures += list->facts().failures;
    return failures;
  }

  ManualClock clock_{SteadyTime(std::chrono::hours(1))};
  TemporaryFolder folder_;
  ListServices services_{.clock = clock_,
                         .store = TargetStore(folder_.Path("state"))};
};

}  // namespace echo_exporter
