#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "echo_exporter/echo_transport.h"
#include "tests/support/result_log.h"

namespace echo_exporter {

/// What the suite needs to try one kind of transport. It must outlive the
/// transports that it makes.
class EchoTransportRig {
 public:
  virtual ~EchoTransportRig() = default;
  /// Why this rig cannot be used here; empty when it can.
  virtual std::string WhyNot() { return ""; }
  virtual Result<std::unique_ptr<EchoTransport>> Create(
      const EchoTransportOptions& options,
      EchoTransport::Callback callback) = 0;
  /// A request that ends as kReply. Its tag is the suite's.
  virtual EchoRequest Answered() = 0;
  /// A request that nobody answers, with the longest timeout allowed.
  virtual EchoRequest Unanswered() = 0;
};

struct EchoTransportRigParam {
  std::string name;
  std::function<std::unique_ptr<EchoTransportRig>()> create;

  friend void PrintTo(const EchoTransportRigParam& param, std::ostream* out) {
    *out << param.name;
  }
};

/// What EchoTransport promises, whoever implements it. The tests are in
/// echo_transport_contract.cc; instantiate them, for each transport, with
///
///     INSTANTIATE_TEST_SUITE_P(
///         SomeTransport, EchoTransportContractTest,
///         testing::Values(EchoTransportRigParam{"...", ...}),
///         NameOfRig);
class EchoTransportContractTest
    : public testing::TestWithParam<EchoTransportRigParam> {
 protected:
  static constexpr std::size_t kMaxInFlight = 8;

  /// Makes `transport_`; a fatal failure when that fails. Skips the test where
  /// the rig says why it cannot be used.
  void SetUp() override;

  void SendAnswered(std::uint64_t tag);
  void SendUnanswered(std::uint64_t tag);

  // In this order: the callback may run until the transport is gone.
  ResultLog results_;
  std::unique_ptr<EchoTransportRig> rig_;
  std::unique_ptr<EchoTransport> transport_;
};

std::string NameOfRig(
    const testing::TestParamInfo<EchoTransportRigParam>& info);

}  // namespace echo_exporter
