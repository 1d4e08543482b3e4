#ifndef ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_
#define ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/probe_scheduler.h"
#include "src/base/log.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Logs a pair when it goes down and when it is up again, as icmp_echo_up does:
/// never each probe. All pairs together get at most kLinesPerSecond lines;
/// beyond that, changes are counted, and the count is logged with the first
/// result of a later second.
///
/// Thread-safe. Record() writes nothing by itself but hands lines to Log().
class StateLog {
 public:
  using Sink = std::function<void(LogLevel, std::string_view,
                                  std::initializer_list<LogField>)>;

  static constexpr int kLinesPerSecond = 10;

  /// `clock` must outlive this.
  explicit StateLog(const Clock& clock, Sink sink = Log)
      : clock_(clock), sink_(std::move(sink)) {}

  /// What a pair is called in the log, from now on. A pair that is replaced
  /// begins anew.
  void AddPair(PairId pair, std::string group, std::string source,
               std::string destination);
  void RemovePair(PairId pair);

  /// A result of a pair; of one that is not there, it means nothing. A pair
  /// whose first result is a reply is not worth a line.
  void Record(PairId pair, EchoOutcome outcome);

 private:
  struct Pair {
    std::string group;
    std::string source;
    std::string destination;
    std::optional<EchoOutcome> last;
  };

  bool TakeLine() REQUIRES(mutex_);
  void WriteLeftOut() REQUIRES(mutex_);

  const Clock& clock_;
  const Sink sink_;

  Mutex mutex_;
  std::unordered_map<PairId, Pair> pairs_ GUARDED_BY(mutex_);
  SteadyTime second_begin_ GUARDED_BY(mutex_){};
  int lines_in_second_ GUARDED_BY(mutex_) = 0;
  std::uint64_t left_out_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_STATE_LOG_H_
