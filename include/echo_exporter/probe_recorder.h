#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/metrics_options.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/text_sink.h"

namespace echo_exporter {

/// Why no echo request was sent for a tick of the schedule.
enum class MissReason : std::uint8_t {
  kLate,         ///< this process was late by a whole interval
  kMaxInFlight,  ///< as many requests as allowed were already in flight
  kUnresolved,   ///< the destination has no usable address yet
};
inline constexpr std::size_t kMissReasonCount = 3;

/// Numbers of a pair's requests repeat after so many.
inline constexpr std::uint32_t kRequestNumbers = std::uint32_t{1} << 31;

/// One request of a pair.
struct RequestId {
  PairId pair = 0;
  std::uint32_t number = 0;  ///< in the order of sending, < kRequestNumbers
};

/// What the configuration says of a pair.
struct PairTraits {
  Nanoseconds interval{};
  bool has_name = false;  ///< its destination is no address

  friend bool operator==(const PairTraits&, const PairTraits&) = default;
};

/// The counters and values of one pair since its series began.
struct PairStatistics {
  std::uint64_t requests = 0;
  std::uint64_t in_flight = 0;
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes{};  ///< by EchoOutcome
  std::array<std::uint64_t, kStrayReplyCount> stray_replies{};  ///< by kind
  std::uint64_t flow_renewals = 0;
  /// Whether the last outcome in the order of sending that was not of this host
  /// was a reply.
  bool up = false;
  /// In the order of sending, not of this host; absent before the first.
  std::optional<EchoOutcome> last_outcome;
  std::uint64_t consecutive_failures = 0;
  bool in_outage = false;  ///< outage_after losses in a row, and no reply since
  /// Absent unless up.
  std::optional<Nanoseconds> last_rtt;
  /// RFC 3550 section 6.4.1; absent before the second reply.
  std::optional<Nanoseconds> jitter;
  /// Of the last reply, also while not up; absent when it was not reported.
  std::optional<std::uint8_t> reply_ttl;
};

/// One pair at one moment. Shares its labels with the recorder.
struct PairStatus {
  PairId id = 0;
  std::shared_ptr<const PairLabels> labels;  ///< never null
  PairStatistics statistics;
  std::optional<Route> route;  ///< as of the last SetRoute()
  /// Whether nothing can be sent, for lack of an address, since SetRoute().
  bool unresolved = false;
  Nanoseconds interval{};  ///< of its traits
};

/// What of a PairStatus is looked at often.
struct PairCondition {
  PairId id = 0;
  bool in_outage = false;
  bool unresolved = false;
};

/// One outcome of a pair, with the previous one.
struct PairOutcome {
  PairId pair = 0;
  const PairLabels& labels;
  EchoOutcome outcome = EchoOutcome::kOther;
  std::optional<EchoOutcome> previous;  ///< absent: this is the first
  bool is_outage = false;               ///< now: outage_after losses in a row
  bool was_outage = false;              ///< before
  SteadyTime sent;                      ///< this request
  std::uint64_t losses = 0;  ///< in a row, before the reply if it is one
  /// From the sending of the first of them to that of this request.
  Nanoseconds lasted{};
};

/// Receives outcomes of pairs that differ from their previous one or begin an
/// outage, those of one pair in the order of sending, and without those of this
/// host (IsOfThisHost()), which leave the state of a pair as it was. It is
/// called under a lock of the recorder, so it must be short, must not block,
/// must not throw and must not call the recorder.
///
/// Implementations are thread-safe.
class PairObserver {
 public:
  virtual ~PairObserver() = default;
  virtual void OnOutcome(const PairOutcome& outcome) = 0;
  /// Whether it receives equal ones, too, for now. Wait-free.
  virtual bool wants_every_outcome() const { return false; }
};

/// What discovery has.
struct DiscoveryStatus {
  /// The target lists of one group that come by one mechanism, "file_sd" or
  /// "http_sd".
  struct Lists {
    std::string group;
    std::string mechanism;
    std::uint64_t targets = 0;           ///< in the lists that are in use
    std::uint64_t rejected = 0;          ///< targets of theirs that are no good
    std::uint64_t refresh_failures = 0;  ///< counts up
    /// Of the list whose last good refresh was longest ago; absent: one has had
    /// none.
    std::optional<WallTime> last_success;
    std::optional<WallTime> last_change;  ///< of the list that changed last
  };
  /// Of one group with `neighbours`.
  struct Neighbours {
    std::string group;
    std::uint64_t skipped = 0;  ///< targets that other machines watch
  };
  std::vector<Lists> lists;
  std::vector<Neighbours> neighbours;
};

/// Counts events, renders the metrics in the formats of Prometheus, and
/// provides snapshots to other readers.
///
/// Exactness: in every rendering and snapshot, for every pair,
/// icmp_echo_requests_total = sum of icmp_echo_outcomes_total +
/// icmp_echo_in_flight, the RTT histogram's count = the outcomes named `reply`,
/// and the sum of icmp_echo_failure_run_length + icmp_echo_consecutive_failures
/// = the losses. In protobuf, the RTT histogram begins again when its native
/// buckets do, and says so.
///
/// Thread-safe. RecordRequest() and RecordResult() hold their locks for one
/// update each, and wait for a reader for no longer than it takes to copy one
/// pair.
class ProbeRecorder {
 public:
  /// `sees_stray_replies`: whether RecordStrayReply() can ever be called; if
  /// not, its series are absent instead of 0. `renews_flows`: the same of
  /// RecordFlowRenewal(). `clock` and the observers, none of them null, must
  /// outlive the recorder.
  ProbeRecorder(const HistogramOptions& options, const Clock& clock,
                bool sees_stray_replies = false, bool renews_flows = false,
                std::vector<PairObserver*> observers = {});
  ~ProbeRecorder();
  ProbeRecorder(const ProbeRecorder&) = delete;
  ProbeRecorder& operator=(const ProbeRecorder&) = delete;

  /// The pair of this identity (see PairLabels). Begins its series at zero,
  /// with these labels; or continues them when they have not ended, including
  /// those of a removed pair, which then has no route, and keeps their labels.
  /// Throws std::bad_alloc, and has changed nothing then.
  PairId AddPair(const PairLabels& labels);

  /// Of a pair whose series have not ended. By default, a pair has no interval
  /// that is exposed, and no name.
  void Describe(PairId pair, const PairTraits& traits) noexcept;

  /// Ends a pair's series when its last request has its outcome. No
  /// RecordRequest() and no SetRoute() may follow, unless it is added again.
  void RemovePair(PairId pair) noexcept;

  /// Gives a pair, whose identity they have, other labels; never null.
  void Relabel(PairId pair,
               std::shared_ptr<const PreparedLabels> labels) noexcept;
  static std::shared_ptr<const PreparedLabels> Prepare(
      const PairLabels& labels);

  /// The labels of a pair whose series have not ended; never null. The returned
  /// object does not change when the pair gets other labels.
  std::shared_ptr<const PairLabels> LabelsOf(PairId pair) const;

  struct RecordedRequest {
    RequestId id;
    /// Of the pair since its last reply, as far as they are known.
    std::uint32_t losses = 0;
  };
  /// A RecordRequest() of the pair, whose series have not ended, will follow
  /// soon: its memory is fetched meanwhile. Has no other effect.
  void Expect(PairId pair) const;

  /// A request is about to be passed to the transport: those of one pair in
  /// this order. `outage_after`: as in GroupConfig; if it has changed, a run
  /// that is an outage remains one, and one that is not may become one with
  /// this request. Throws std::bad_alloc, and has changed nothing then.
  RecordedRequest RecordRequest(PairId pair, SteadyTime sent,
                                std::uint16_t outage_after);

  /// Its result. Requires a RecordRequest() without result.
  void RecordResult(const RequestId& request, const EchoResult& result);

  /// A reply to a request that already had its outcome, which does not change.
  /// The series of the pair may have ended.
  void RecordStrayReply(PairId pair, StrayReply kind);

  /// The pair goes on under another ICMP identifier. Its series must not have
  /// ended.
  void RecordFlowRenewal(PairId pair);

  /// The addresses in use now; absent while there are none. An absent source
  /// of a present route is exposed as "". `resolved`: whether the destination
  /// has an address that can be probed, even if the source is missing.
  void SetRoute(PairId pair, const std::optional<Route>& route, bool resolved);

  /// A tick was taken this long after it was due (>= 0).
  void RecordScheduleLag(Nanoseconds lag);
  void RecordMissed(MissReason reason, std::uint64_t ticks);
  void RecordResolveFailure();
  /// See AddressBook::Report.
  void SetStaleLookups(std::size_t count);
  void RecordHttpRequest(std::string_view handler, int status);

  /// Outcome of the last attempt to load a configuration.
  void RecordConfigLoad(bool successful);
  /// The same for the web configuration, if there is one. `expiry`: of the
  /// certificate in use, if there is one.
  void RecordWebConfigLoad(bool successful,
                           const std::optional<WallTime>& expiry);

  /// Families without anything to tell are absent, as all are at first.
  void SetDiscovery(DiscoveryStatus status);

  /// Every pair whose series have not ended, each as of one moment during the
  /// call, in the order in which they were first added.
  std::vector<PairStatus> Snapshot() const;
  /// The same pairs, for far less memory.
  std::vector<PairCondition> Conditions() const;

  /// The approximate memory that Render() holds until it returns.
  std::size_t RenderMemory(const MetricsQuery& query) const;

  /// Writes what `query` asks for: each pair as of one moment near the
  /// beginning of the call, but none of a module, and `transport`.
  void Render(const MetricsQuery& query, const EchoTransportStats& transport,
              const TextSink& sink) const;

  /// Appends to `text` the families of one pair in the format of `query` and
  /// without those that it omits, the series without the labels of the pair.
  /// Returns the pair as of the same moment; absent: its series have ended.
  std::optional<PairStatus> RenderPair(PairId pair, const MetricsQuery& query,
                                       std::string* text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace echo_exporter
