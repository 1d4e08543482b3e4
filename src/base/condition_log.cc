#include "src/base/condition_log.h"

#include <algorithm>
#include <utility>

#include "src/base/duration.h"

namespace echo_exporter {

ConditionLog::ConditionLog(const Kind& kind, const Clock& clock, Sink sink)
    : kind_(kind),
      clock_(clock),
      sink_(std::move(sink)),
      lines_(kRefill, kind.burst),
      last_summary_(clock.Now() - kSummaryInterval) {}

void ConditionLog::Report(const std::string& subject, std::string_view reason) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_.Now();
  Add(subject, reason, now);
  if (now >= summary_due_) SumUp(subject, reason, now);
}

void ConditionLog::Add(const std::string& subject, std::string_view reason,
                       SteadyTime now) {
  if (conditions_.empty() && suppressed_ == 0) {
    summary_due_ = now + kSummaryInterval;
  }
  const auto [place, is_new] = conditions_.try_emplace(subject);
  if (!is_new) return;
  Condition& condition = place->second;
  condition.since = now;
  condition.has_line = lines_.Take(now) == Nanoseconds::zero();
  if (condition.has_line) {
    sink_(kind_.level, kind_.begins,
          {{kind_.subject, subject},
           {reason.empty() ? "" : kind_.reason, std::string(reason)}});
    return;
  }
  ++without_line_;
  ++suppressed_;
  summary_due_ =
      std::min(summary_due_,
               std::max(now + kSummaryDelay, last_summary_ + kSummaryInterval));
}

void ConditionLog::SumUp(const std::string& example, std::string_view reason,
                         SteadyTime now) {
  last_summary_ = now;
  summary_due_ = now + kSummaryInterval;
  told_ = std::max(told_, without_line_);
  sink_(kind_.level, kind_.begins,
        {{"count", std::to_string(conditions_.size())},
         {suppressed_ > 0 ? "suppressed" : "", std::to_string(suppressed_)},
         {kind_.subject, example},
         {reason.empty() ? "" : kind_.reason, std::string(reason)}});
  suppressed_ = 0;
}

void ConditionLog::End(const std::string& subject) {
  const MutexLock lock(mutex_);
  const auto place = conditions_.find(subject);
  if (place == conditions_.end()) return;
  if (place->second.has_line && !kind_.ends.empty()) {
    const auto lasted = std::chrono::floor<std::chrono::seconds>(
        clock_.Now() - place->second.since);
    sink_(LogLevel::kInfo, kind_.ends,
          {{kind_.subject, subject}, {"lasted", FormatDuration(lasted)}});
  }
  Erase(place);
}

void ConditionLog::Forget(const std::string& subject) {
  const MutexLock lock(mutex_);
  const auto place = conditions_.find(subject);
  if (place != conditions_.end()) Erase(place);
}

void ConditionLog::Erase(Conditions::iterator place) {
  if (!place->second.has_line) --without_line_;
  conditions_.erase(place);
  if (without_line_ > 0 || told_ == 0) return;
  // The last of those that were only reported by the line for all.
  if (!kind_.ends.empty()) {
    sink_(LogLevel::kInfo, kind_.ends, {{"count", std::to_string(told_)}});
  }
  told_ = 0;
}

}  // namespace echo_exporter
