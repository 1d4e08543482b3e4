#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "echo_exporter/clock.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"

namespace echo_exporter {

/// Logs conditions that last, such as names that do not resolve: each when it
/// begins and, if its end is reported, when it ends, and once an hour, as long
/// as it is reported, a line for all of them together with their number and one
/// as an example.
///
/// There is one object for a kind of condition, whatever the number of its
/// subjects, and one limit for them: `Kind::burst` conditions at once, and one
/// more every kRefill, have lines of their own. The others are only counted in
/// the line for all: in `count`, how many there are, and in `suppressed`, how
/// many have begun without a line since the last line for all, which comes
/// kSummaryDelay after the first of them unless there was one within the hour.
///
/// Thread-safe.
class ConditionLog {
 public:
  using Sink = std::function<void(LogLevel, std::string_view,
                                  std::initializer_list<LogField>)>;

  /// The views are of literals: they outlive the object.
  struct Kind {
    LogLevel level = LogLevel::kWarn;  ///< of all lines but those of an end
    std::string_view begins;           ///< the message while it lasts
    std::string_view ends = {};        ///< empty: no line
    /// The fields for the two arguments of Report(); empty: left out.
    std::string_view subject = {};
    std::string_view reason = "error";
    std::uint32_t burst = 10;  ///< at least 1
  };

  static constexpr Nanoseconds kRefill = std::chrono::minutes(6);
  static constexpr Nanoseconds kSummaryInterval = std::chrono::hours(1);
  static constexpr Nanoseconds kSummaryDelay = std::chrono::seconds(10);

  /// `clock` must outlive this.
  explicit ConditionLog(const Kind& kind, const Clock& clock = Clock::System(),
                        Sink sink = Log);
  ConditionLog(const ConditionLog&) = delete;
  ConditionLog& operator=(const ConditionLog&) = delete;

  /// `subject` is in this condition, now or still; call it whenever that is
  /// observed. `reason` is logged; another reason is the same condition.
  void Report(const std::string& subject, std::string_view reason);

  /// `subject` is not, or no longer, in this condition.
  void End(const std::string& subject);

  /// The same without a line: nobody needs to know any more.
  void Forget(const std::string& subject);

 private:
  struct Condition {
    SteadyTime since;
    bool has_line = false;
  };
  using Conditions = std::unordered_map<std::string, Condition>;

  void Add(const std::string& subject, std::string_view reason, SteadyTime now)
      REQUIRES(mutex_);
  void Erase(Conditions::iterator place) REQUIRES(mutex_);
  void SumUp(const std::string& example, std::string_view reason,
             SteadyTime now) REQUIRES(mutex_);

  const Kind kind_;
  const Clock& clock_;
  const Sink sink_;

  Mutex mutex_;
  Conditions conditions_ GUARDED_BY(mutex_);
  TokenBucket lines_ GUARDED_BY(mutex_);
  std::size_t without_line_ GUARDED_BY(mutex_) = 0;
  std::uint64_t suppressed_ GUARDED_BY(mutex_) = 0;
  /// The most that a line for all has reported, until they have ended.
  std::size_t told_ GUARDED_BY(mutex_) = 0;
  SteadyTime last_summary_ GUARDED_BY(mutex_);
  SteadyTime summary_due_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
