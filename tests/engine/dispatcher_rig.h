#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "echo_exporter/address_book.h"
#include "echo_exporter/probe_recorder.h"
#include "src/engine/dispatcher.h"
#include "src/engine/result_router.h"
#include "tests/engine/outcome_log.h"
#include "tests/recorder/samples.h"
#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {

/// A dispatcher with all it needs, on a fake network and fake names.
class DispatcherRig {
 public:
  /// `clock` must outlive the rig.
  explicit DispatcherRig(const Clock& clock)
      : network(clock),
        recorder({.rtt_buckets = {0.01, 0.1}}, clock,
                 /*sees_stray_replies=*/true,
                 /*renews_flows=*/true, {&outcomes}),
        router(recorder),
        book(lookup, kEagerBook, {}),
        transport(network
                      .CreateTransport(Options(),
                                       [this](const EchoResult& result) {
                                         router.OnResult(result);
                                       })
                      .value()),
        dispatcher(clock, *transport, book, recorder, router, kDrainLimit) {
    network.LimitDrain(Nanoseconds(0));
  }
  DispatcherRig(const DispatcherRig&) = delete;
  DispatcherRig& operator=(const DispatcherRig&) = delete;

  /// The current value of a series; absent when there is none.
  std::optional<double> Sample(const std::string& series) const {
    const auto samples = ParseSamples(RenderText(recorder));
    const auto found = samples.find(series);
    if (found == samples.end()) return std::nullopt;
    return found->second;
  }

  static constexpr std::size_t kMaxInFlight = 8;
  static constexpr Nanoseconds kDrainLimit = std::chrono::seconds(10);

  EchoTransportOptions Options() {
    EchoTransportOptions options;
    options.max_in_flight = kMaxInFlight;
    options.on_stray_reply = [this](std::uint64_t tag, StrayReply kind) {
      router.OnStrayReply(tag, kind);
    };
    return options;
  }

  // Names are refreshed as often as tests like to change them.
  static constexpr AddressBook::Options kEagerBook = {
      .interface_refresh = std::chrono::milliseconds(1),
      .retry = std::chrono::milliseconds(1)};

  FakeEchoNetwork network;
  FakeAddressLookup lookup;
  OutcomeLog outcomes;
  ProbeRecorder recorder;
  ResultRouter router;
  AddressBook book;
  std::unique_ptr<EchoTransport> transport;
  Dispatcher dispatcher;
};

}  // namespace echo_exporter
