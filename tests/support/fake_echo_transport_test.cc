#include "tests/support/fake_echo_transport.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "tests/support/echo_transport_contract.h"

namespace echo_exporter {
namespace {

class FakeRig final : public EchoTransportRig {
 public:
  explicit FakeRig(FakeAnswer::When when) {
    network_.Answer(
        {.when = when, .result = ReplyAfter(std::chrono::milliseconds(1))});
    network_.HoldFrom(Unanswered().destination);
  }

  Result<std::unique_ptr<EchoTransport>> Create(
      const EchoTransportOptions& options,
      EchoTransport::Callback callback) override {
    return network_.CreateTransport(options, std::move(callback));
  }
  EchoRequest Answered() override { return RequestTo("192.0.2.1"); }
  EchoRequest Unanswered() override { return RequestTo("192.0.2.2"); }

 private:
  static EchoRequest RequestTo(std::string_view destination) {
    EchoRequest request;
    request.destination = Address(destination);
    request.timeout = std::chrono::hours(1);
    return request;
  }

  FakeEchoNetwork network_;
};

EchoTransportRigParam Rig(std::string name, FakeAnswer::When when) {
  return {std::move(name), [when] { return std::make_unique<FakeRig>(when); }};
}

INSTANTIATE_TEST_SUITE_P(
    FakeTransport, EchoTransportContractTest,
    testing::Values(Rig("AnsweringAtOnce", FakeAnswer::When::kAtOnce),
                    Rig("AnsweringFromItsThread", FakeAnswer::When::kSoon)),
    NameOfRig);

}  // namespace
}  // namespace echo_exporter
