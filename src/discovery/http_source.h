#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/http_client.h"
#include "src/base/mutex.h"
#include "src/discovery/list_source.h"

namespace echo_exporter {

/// Get(), or what stands in for it.
using HttpFetch = std::function<Result<HttpAnswer>(const HttpGet&)>;

/// Runs a call that may block, at once on another thread; false: it cannot.
using CallRunner = std::function<bool(std::function<void()>)>;

/// A target list that a server has. It is fetched at its interval, shifted by
/// an amount that differs between hosts, so that many agents do not ask at the
/// same time; after a failure sooner, then ever later.
class HttpSource final : public ListSource,
                         public std::enable_shared_from_this<HttpSource> {
 public:
  static constexpr Nanoseconds kFirstRetry = std::chrono::seconds(5);
  static constexpr Nanoseconds kMostPatience = std::chrono::seconds(60);

  /// What all sources have in common.
  struct Means {
    HttpFetch fetch;
    CallRunner run;
    std::function<void()> wake;  ///< a fetch has ended
    std::string hostname;
  };

  /// `services` and `means` must outlive this.
  HttpSource(ListServices& services, const Means& means,
             HttpDiscoveryConfig config);

  SteadyTime Look(SteadyTime now) override;
  std::vector<std::shared_ptr<KeptList>> Lists() override { return {list_}; }

 private:
  /// Empty, or why the list could not be had.
  std::string Fetch();
  Result<HttpGet> Request() const;
  void End(bool good);
  Nanoseconds Spread(Nanoseconds time) REQUIRES(mutex_);

  ListServices& services_;
  const Means& means_;
  const HttpDiscoveryConfig config_;
  const std::shared_ptr<KeptList> list_;
  Mutex mutex_;
  bool busy_ GUARDED_BY(mutex_) = false;
  std::optional<SteadyTime> next_ GUARDED_BY(mutex_);
  std::uint32_t failures_ GUARDED_BY(mutex_) = 0;  ///< in a row
  std::uint64_t draws_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
