#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/http_server.h"
#include "echo_exporter/probe_recorder.h"
#include "src/base/mutex.h"
#include "src/base/token_bucket.h"
#include "src/engine/dispatcher.h"
#include "src/engine/endpoint.h"
#include "src/engine/shared_config.h"
#include "src/probe/probe_query.h"
#include "src/probe/target_policy.h"

namespace echo_exporter {

/// The pairs of continuous modules: the first request for one begins it, the
/// others read what was counted since, and it ends when nobody asked for it for
/// the `keep` of its module. Requests for the same module, source and target
/// share a pair.
///
/// Thread-safe.
class ContinuousPairs {
 public:
  /// The arguments must outlive this.
  ContinuousPairs(SharedConfig& config, const Clock& clock, AddressBook& book,
                  ProbeRecorder& recorder, Dispatcher& dispatcher);

  /// Responds to `query` by `config`, which allows it; `module` is its
  /// module, with its source. Waits for no network. Absent: that
  /// configuration is not the current one, or the pair has just ended.
  std::optional<HttpResponse> Probe(
      const ProbeQuery& query,
      const std::shared_ptr<const ExporterConfig>& config,
      const ModuleConfig& module, const ProbeTarget& target);

  /// Makes `next` the configuration: ends the pairs that it would not begin,
  /// and changes those whose module it changes, together with `change`, which
  /// is of other pairs. The others keep their place in the schedule, and all
  /// their counters. Throws, and has changed nothing then.
  void MoveTo(std::shared_ptr<const ExporterConfig> next,
              DispatchChange change);

  /// Ends the pairs that nobody has asked for in time; to be called at least
  /// once a minute. Throws, and has changed nothing then.
  void EndUnasked();

 private:
  /// The names of module and source, and the target in its one spelling.
  using Key = std::array<std::string, 3>;
  struct Pair {
    std::string target;  ///< as it was first asked for
    DispatchedPair spec;
    Nanoseconds interval{};
    Nanoseconds keep{};
    SteadyTime asked;
    std::optional<AddressBook::Watch> source_watch;
    std::optional<AddressBook::Watch> destination_watch;
  };
  using Pairs = std::map<Key, Pair>;
  /// What MoveTo() does to a pair.
  struct Move {
    Pairs::iterator place;
    std::optional<Pair> pair;  ///< absent: it ends
  };

  Pairs::iterator Begin(const Key& key, const std::string& text,
                        const ProbeTarget& target,
                        const std::shared_ptr<const ExporterConfig>& config,
                        const ModuleConfig& module) REQUIRES(mutex_);
  void Set(const std::shared_ptr<const ExporterConfig>& config,
           const ModuleConfig& module, TargetVerdict verdict, Pair* pair);
  void EndUnaskedAt(SteadyTime now) REQUIRES(mutex_);
  void Plan(const std::shared_ptr<const ExporterConfig>& next,
            std::vector<Move>* moves, DispatchChange* change) REQUIRES(mutex_);
  std::optional<ModuleConfig> ModuleOf(const Key& key, const Pair& pair,
                                       const ExporterConfig& next,
                                       TargetVerdict* verdict) const
      REQUIRES(mutex_);
  void End(Pairs::iterator place) noexcept REQUIRES(mutex_);
  void Unwatch(const std::optional<AddressBook::Watch>& watch) noexcept;
  HttpResponse Refuse(const ExporterConfig& config, SteadyTime now)
      REQUIRES(mutex_);
  std::optional<HttpResponse> Read(PairId pair, const ProbeQuery& query,
                                   const ExporterConfig& config,
                                   const ModuleConfig& module) const;

  SharedConfig& config_;
  const Clock& clock_;
  AddressBook& book_;
  ProbeRecorder& recorder_;
  Dispatcher& dispatcher_;

  Mutex mutex_;
  Pairs pairs_ GUARDED_BY(mutex_);
  SteadyTime looked_ GUARDED_BY(mutex_){};
  TokenBucket log_lines_ GUARDED_BY(mutex_);  ///< about the limit
};

}  // namespace echo_exporter
