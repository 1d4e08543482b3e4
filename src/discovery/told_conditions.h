#pragma once

#include <set>
#include <string>
#include <vector>

#include "src/base/condition_log.h"

namespace echo_exporter {

/// Conditions that are all found again at each look: it logs the new ones.
///
/// Confined to one thread at a time.
class ToldConditions {
 public:
  explicit ToldConditions(const ConditionLog::Kind& kind) : log_(kind) {}

  /// These are there now, and no others.
  void Tell(const std::vector<std::string>& conditions) {
    std::set<std::string> now(conditions.begin(), conditions.end());
    for (const std::string& condition : now) log_.Report(condition, "");
    for (const std::string& condition : told_) {
      if (!now.contains(condition)) log_.Forget(condition);
    }
    told_.swap(now);
  }

 private:
  ConditionLog log_;
  std::set<std::string> told_;
};

}  // namespace echo_exporter
