#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "echo_exporter/echo.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Results as they come.
///
/// Thread-safe.
class ResultLog {
 public:
  void Add(const EchoResult& result) {
    const MutexLock lock(mutex_);
    results_.push_back(result);
    changed_.NotifyAll();
  }

  std::vector<EchoResult> results() const {
    const MutexLock lock(mutex_);
    return results_;
  }

  std::size_t size() const {
    const MutexLock lock(mutex_);
    return results_.size();
  }

  /// The outcomes of the requests with that tag.
  std::vector<EchoOutcome> Outcomes(std::uint64_t tag) const {
    std::vector<EchoOutcome> outcomes;
    for (const EchoResult& result : results()) {
      if (result.tag == tag) outcomes.push_back(result.outcome);
    }
    return outcomes;
  }

  void WaitForSize(std::size_t size) {
    const MutexLock lock(mutex_);
    while (results_.size() < size) changed_.Wait(mutex_);
  }

 private:
  CondVar changed_;
  mutable Mutex mutex_;
  std::vector<EchoResult> results_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter
