#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "echo_exporter/echo.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/pair_history.h"
#include "echo_exporter/probe_recorder.h"
#include "src/base/mutex.h"

namespace echo_exporter {

/// Receives the reports of a transport and routes them by the request's tag:
/// results of pairs to the recorder and to their history, others to the
/// completion of the request.
///
/// Created before the transport, and outlives it. Thread-safe.
class ResultRouter {
 public:
  /// Under the rules of the transport's callback.
  using Completion = std::function<void(const EchoResult&)>;

  /// `recorder` and, unless null, `history` must outlive the router.
  explicit ResultRouter(ProbeRecorder& recorder, PairHistory* history = nullptr)
      : recorder_(recorder), history_(history) {}
  ResultRouter(const ResultRouter&) = delete;
  ResultRouter& operator=(const ResultRouter&) = delete;

  /// The tag for a request of a pair.
  static std::uint64_t TagOf(const RequestId& request) {
    return std::uint64_t{request.number} << 32 | request.pair;
  }

  /// The tag for another request. `done` runs exactly once: with the request's
  /// result, or in GiveUp() if that comes first.
  std::uint64_t Expect(Completion done);

  /// Ends the requests that are still expected as kGeneralFailure, on the
  /// calling thread. Later reports of the transport about them are ignored.
  void GiveUp();

  // Called by the transport; the rules of its callbacks apply.
  void OnResult(const EchoResult& result);
  void OnStrayReply(std::uint64_t tag, StrayReply kind);

 private:
  ProbeRecorder& recorder_;
  PairHistory* const history_;

  Mutex mutex_;
  std::unordered_map<std::uint64_t, Completion> expected_ GUARDED_BY(mutex_);
  std::uint64_t next_expected_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
