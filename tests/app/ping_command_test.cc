#include "src/app/ping_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_address_lookup.h"
#include "tests/support/fake_echo_transport.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::StartsWith;

/// Waits for nothing: time is what the test says. Confined to one thread.
class FakeProcessEvents final : public ProcessEvents {
 public:
  std::optional<Event> WaitFor(std::optional<Nanoseconds> duration) override {
    waits.push_back(duration.value());
    if (on_wait) on_wait();
    if (waits.size() < stop_at_wait) return std::nullopt;
    return Event::kStop;
  }
  void Raise(Event) override { stop_at_wait = 0; }

  std::vector<Nanoseconds> waits;
  std::function<void()> on_wait;
  std::size_t stop_at_wait = 1'000'000;
};

class PingCommandTest : public testing::Test {
 protected:
  PingCommandTest() { options_.destination = "192.0.2.1"; }

  int Ping() { return PingInto(out_, network_); }

  int PingInto(std::ostream& out, FakeEchoNetwork& network) {
    const Exporter::Environment environment{
        .create_transport =
            [&network](const EchoTransportOptions& options,
                       EchoTransport::Callback callback) {
              return network.CreateTransport(options, std::move(callback));
            },
        .lookup = &lookup_};
    return RunPing(options_, environment, events_, out, err_);
  }

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream text(out_.str());
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  PingOptions options_;
  FakeEchoNetwork network_;
  FakeAddressLookup lookup_;
  FakeProcessEvents events_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(PingCommandTest, PrintsEachEchoAndASummary) {
  options_.count = 2;
  network_.Answer({.result = ReplyAfter(microseconds(1234))});
  EXPECT_EQ(Ping(), 0);
  EXPECT_THAT(
      Lines(),
      ElementsAre("echo requests to 192.0.2.1 (192.0.2.1), 32 bytes of payload",
                  "reply from 192.0.2.1: seq=1 time=1.234 ms ttl=64",
                  "reply from 192.0.2.1: seq=2 time=1.234 ms ttl=64",
                  "2 sent, 2 received, 0.0 % lost; round-trip time "
                  "min/mean/max 1.234 ms / 1.234 ms / 1.234 ms"));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(PingCommandTest, SendsFourWaitingAnIntervalBetweenThem) {
  options_.interval = milliseconds(250);
  EXPECT_EQ(Ping(), 0);
  EXPECT_EQ(network_.sent().size(), 4U);
  EXPECT_EQ(events_.waits.size(), 3U);
  EXPECT_THAT(events_.waits, Each(Le(3 * options_.interval)));
}

TEST_F(PingCommandTest, SendsWhatTheOptionsSay) {
  options_.count = 1;
  options_.source = "198.51.100.7";
  options_.echo = {.timeout = milliseconds(300), .payload_size = 8, .ttl = 5};
  EXPECT_EQ(Ping(), 0);
  const auto sent = network_.sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].request.destination, Address("192.0.2.1"));
  EXPECT_EQ(sent[0].request.source, Address("198.51.100.7"));
  EXPECT_EQ(sent[0].request.timeout, milliseconds(300));
  EXPECT_EQ(sent[0].request.payload_size, 8);
  EXPECT_EQ(sent[0].request.ttl, 5);
}

TEST_F(PingCommandTest, ExitsWithOneWhenNothingAnswers) {
  EchoResult unreachable = EndAs(EchoOutcome::kHostUnreachable);
  unreachable.responder = Address("192.0.2.254");
  unreachable.os_code = 11003;
  options_.count = 1;
  network_.Answer({.result = unreachable});
  EXPECT_EQ(Ping(), 1);
  EXPECT_THAT(Lines(),
              ElementsAre(StartsWith("echo requests to"),
                          "host_unreachable: seq=1 from=192.0.2.254 code=11003",
                          "1 sent, 0 received, 100.0 % lost"));
}

TEST_F(PingCommandTest, ExitsWithZeroWhenAnyReplyCame) {
  options_.count = 3;
  network_.Answer({.result = EndAs(EchoOutcome::kTimeout)});
  events_.on_wait = [this] {
    network_.Answer({.result = events_.waits.size() == 1
                                   ? ReplyAfter(milliseconds(1))
                                   : EndAs(EchoOutcome::kTimeout)});
  };
  EXPECT_EQ(Ping(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("3 sent, 1 received, 66.7 % lost"));
}

TEST_F(PingCommandTest, StopEndsItEarlyWithASummary) {
  options_.count = 0;
  events_.stop_at_wait = 3;
  EXPECT_EQ(Ping(), 0);
  EXPECT_EQ(network_.sent().size(), 3U);
  EXPECT_THAT(Lines().back(), StartsWith("3 sent, 3 received, 0.0 % lost"));
}

TEST_F(PingCommandTest, WaitsForEchoesInFlightBeforeTheSummary) {
  options_.echo.timeout = seconds(2);
  network_.Answer({.when = FakeAnswer::When::kSoon});
  EXPECT_EQ(Ping(), 0);
  EXPECT_THAT(network_.drain_limits(), ElementsAre(seconds(5)));
  EXPECT_THAT(Lines().back(), StartsWith("4 sent, 4 received"));
}

TEST_F(PingCommandTest, CountsWhatNeverEndsAsLost) {
  network_.Hold();
  network_.LimitDrain(Nanoseconds(0));
  EXPECT_EQ(Ping(), 1);
  EXPECT_THAT(out_.str(), HasSubstr("4 sent, 0 received, 100.0 % lost"));
}

TEST_F(PingCommandTest, DoesNotCallLostWhatThisHostPrevented) {
  options_.count = 3;
  network_.Answer({.result = EndAs(EchoOutcome::kSuspended)});
  events_.on_wait = [this] {
    network_.Answer({.result = events_.waits.size() == 1
                                   ? ReplyAfter(milliseconds(1))
                                   : EndAs(EchoOutcome::kTimeout)});
  };
  EXPECT_EQ(Ping(), 0);
  EXPECT_THAT(Lines().back(),
              StartsWith("3 sent, 1 received, 50.0 % lost (without 1 that this "
                         "host prevented); round-trip time"));
}

TEST_F(PingCommandTest, ResolvesNamesAndSaysToWhat) {
  options_.destination = "a.example.net";
  lookup_.Set("a.example.net", {Address("192.0.2.7")});
  EXPECT_EQ(Ping(), 0);
  EXPECT_EQ(network_.SentTo(Address("192.0.2.7")).size(), 4U);
  EXPECT_THAT(out_.str(), HasSubstr("a.example.net (192.0.2.7)"));
}

TEST_F(PingCommandTest, SendsToAnAddressOfTheVersionThatIsAskedFor) {
  lookup_.Set("a.example.net", {Address("192.0.2.7"), Address("2001:db8::7")});
  options_.destination = "a.example.net";
  options_.count = 1;
  options_.echo.ip_version = IpPreference::kV6Only;
  EXPECT_EQ(Ping(), 0);
  options_.echo.ip_version = IpPreference::kV4Only;
  EXPECT_EQ(Ping(), 0);
  EXPECT_EQ(network_.SentTo(Address("2001:db8::7")).size(), 1U);
  EXPECT_EQ(network_.SentTo(Address("192.0.2.7")).size(), 1U);
}

TEST_F(PingCommandTest, SendsFromAnAdaptersAddress) {
  options_.source = "Ethernet 2";
  lookup_.Set("Ethernet 2", {Address("2001:db8::7"), Address("198.51.100.8")});
  EXPECT_EQ(Ping(), 0);
  EXPECT_EQ(network_.sent().at(0).request.source, Address("198.51.100.8"));
}

TEST_F(PingCommandTest, ExitsWithOneWhenANameDoesNotResolve) {
  options_.destination = "nowhere.example.net";
  EXPECT_EQ(Ping(), 1);
  EXPECT_THAT(err_.str(),
              AllOf(StartsWith("echo_exporter: "),
                    HasSubstr("nowhere.example.net"), EndsWith("\n")));
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(PingCommandTest, ExitsWithTwoForWhatIsNoDestination) {
  for (const char* const destination : {"0.0.0.0", "::", "1.2.3", "a b", ""}) {
    options_.destination = destination;
    EXPECT_EQ(Ping(), 2) << destination;
  }
  EXPECT_THAT(err_.str(),
              HasSubstr("neither an address of a host nor a host name"));
  EXPECT_THAT(network_.sent(), IsEmpty());
}

TEST_F(PingCommandTest, ExitsWithTwoForAnUnknownAdapter) {
  options_.source = "Ethernet 3";
  EXPECT_EQ(Ping(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("Ethernet 3"));
}

TEST_F(PingCommandTest, ExitsWithOneForAnAdapterWithoutAnAddress) {
  options_.source = "Ethernet 3";
  lookup_.Fail("Ethernet 3");
  EXPECT_EQ(Ping(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("Ethernet 3"));
}

TEST_F(PingCommandTest, ExitsWithOneWithoutACommonIpVersion) {
  options_.source = "2001:db8::1";
  EXPECT_EQ(Ping(), 1);
  EXPECT_THAT(err_.str(),
              HasSubstr("no addresses of a common IP version that is allowed "
                        "and supported here"));
}

TEST_F(PingCommandTest, ExitsWithOneWhenNothingCanBeSent) {
  network_.FailToOpen({ErrorCode::kNotAllowed, "opening ICMP: refused (5)"});
  EXPECT_EQ(Ping(), 1);
  EXPECT_EQ(err_.str(), "echo_exporter: opening ICMP: refused (5)\n");
}

/// Takes some lines, and is a closed pipe from then on.
class ClosingPipe final : public std::streambuf {
 public:
  explicit ClosingPipe(int lines) : lines_(lines) {}

 private:
  int_type overflow(int_type c) override {
    if (lines_ == 0) return traits_type::eof();
    if (c == '\n') --lines_;
    return c;
  }

  int lines_;
};

TEST_F(PingCommandTest, EndsWithOneWhenNobodyReadsIt) {
  options_.count = 0;
  for (const int lines : {0, 1, 3}) {
    ClosingPipe pipe(lines);
    std::ostream out(&pipe);
    FakeEchoNetwork network;
    EXPECT_EQ(PingInto(out, network), 1);
    EXPECT_EQ(network.sent().size(), static_cast<std::size_t>(lines));
    EXPECT_EQ(err_.str(), "echo_exporter: the output cannot be written\n");
    err_.str("");
  }
}

TEST_F(PingCommandTest, ExitsWithOneWhenItsSummaryCannotBeWritten) {
  options_.count = 2;
  ClosingPipe pipe(3);
  std::ostream out(&pipe);
  EXPECT_EQ(PingInto(out, network_), 1);
  EXPECT_EQ(network_.sent().size(), 2U);
}

}  // namespace
}  // namespace echo_exporter
