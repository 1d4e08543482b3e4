#ifndef ECHO_EXPORTER_PROBE_RECORDER_H_
#define ECHO_EXPORTER_PROBE_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/probe_scheduler.h"
#include "echo_exporter/text_sink.h"

namespace echo_exporter {

/// Why a tick of the schedule led to no echo request.
enum class MissReason : std::uint8_t {
  kLate,         ///< this process was held up for a whole interval
  kMaxInFlight,  ///< as many requests as allowed were already in flight
  kUnresolved,   ///< the destination has no usable address yet
};
inline constexpr std::size_t kMissReasonCount = 3;

/// What identifies a pair's series. Label names other than these three come
/// from the group.
struct PairLabels {
  std::string group;
  std::string source;
  std::string destination;
  Labels extra;
};

/// Counts what happens and renders it in the Prometheus text format.
///
/// Exactness: in every rendering, for every pair, icmp_echo_requests_total =
/// sum of icmp_echo_outcomes_total + icmp_echo_in_flight, and the histogram's
/// count = the outcomes named `reply`.
///
/// Thread-safe. RecordRequest() and RecordResult() hold their locks for one
/// update each, and never wait for a rendering for longer than the copying of
/// one pair.
class ProbeRecorder {
 public:
  /// `rtt_buckets`: upper bounds in seconds, ascending; a value equal to a
  /// bound belongs to that bound's bucket. `sees_stray_replies`: whether
  /// RecordStrayReply() can ever be called; without, its series are absent
  /// instead of 0.
  ProbeRecorder(const std::vector<double>& rtt_buckets, const Clock& clock,
                bool sees_stray_replies = false);
  ~ProbeRecorder();
  ProbeRecorder(const ProbeRecorder&) = delete;
  ProbeRecorder& operator=(const ProbeRecorder&) = delete;

  /// Begins a pair's series at zero. `pair` must be new.
  void AddPair(PairId pair, const PairLabels& labels);

  /// Goes on with a pair's counters under other labels.
  void SetLabels(PairId pair, const PairLabels& labels);

  /// Ends a pair's series when its last request has its outcome. No
  /// RecordRequest() and no SetRoute() may follow, unless it is restored.
  void RemovePair(PairId pair);

  /// Goes on with the series of a removed pair, without a route, if they have
  /// not ended; false if they have. A new pair with its labels would have the
  /// same series at the same time.
  bool RestorePair(PairId pair, const PairLabels& labels);

  /// Whether the pair's series are there.
  bool HasPair(PairId pair) const;

  /// A request is about to be handed to the transport.
  void RecordRequest(PairId pair);

  /// Its result. Requires a RecordRequest() without result for this pair.
  void RecordResult(PairId pair, const EchoResult& result);

  /// A reply to a request that had its outcome already, which it changes no
  /// more. The pair may be gone.
  void RecordStrayReply(PairId pair, StrayReply kind);

  /// The addresses in use now; absent while there are none. An absent source
  /// of a present route is exposed as "".
  void SetRoute(PairId pair, const std::optional<Route>& route);

  /// A tick was taken that much after it was due (>= 0).
  void RecordScheduleLag(Nanoseconds lag);
  void RecordMissed(MissReason reason, std::uint64_t ticks);
  void RecordResolveFailure();
  void RecordHttpRequest(std::string_view handler, int status);

  /// Outcome of the last attempt to load a configuration.
  void RecordConfigLoad(bool successful);
  /// The same for the web configuration, if there is one.
  void RecordWebConfigLoad(bool successful);

  /// Memory that Render() holds until it returns, about.
  std::size_t RenderMemory() const;

  /// Writes everything in the text format 0.0.4, ending with a newline: the
  /// pairs as of one moment each, near the beginning of the call, `transport`
  /// as given.
  void Render(const EchoTransportStats& transport, const TextSink& sink) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_PROBE_RECORDER_H_
