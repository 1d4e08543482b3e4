#include "src/app/ping_command.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "src/base/host_name.h"
#include "src/base/mutex.h"
#include "src/engine/echo_route.h"

namespace echo_exporter {
namespace {

std::string Milliseconds(Nanoseconds duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f ms",
                static_cast<double>(duration.count()) / 1e6);
  return text;
}

// What came of the echoes so far; prints each. Thread-safe.
class Tally {
 public:
  explicit Tally(std::ostream& out) : out_(out) {}

  void Add(const EchoResult& result, const std::string& destination) {
    MutexLock lock(mutex_);
    if (result.outcome == EchoOutcome::kReply) {
      ++replies_;
      shortest_ = std::min(shortest_, result.rtt);
      longest_ = std::max(longest_, result.rtt);
      sum_ += result.rtt;
      out_ << "reply from " << destination << ": seq=" << result.tag
           << " time=" << Milliseconds(result.rtt);
      if (result.reply_ttl) out_ << " ttl=" << int{*result.reply_ttl};
    } else {
      if (IsOfThisHost(result.outcome)) ++of_this_host_;
      out_ << EchoOutcomeName(result.outcome) << ": seq=" << result.tag;
      if (result.responder) out_ << " from=" << result.responder->ToString();
      if (result.mtu != 0) out_ << " mtu=" << result.mtu;
      if (result.os_code != 0) out_ << " code=" << result.os_code;
    }
    out_ << std::endl;  // at once, also into a pipe
  }

  void PrintSummary(std::uint64_t sent) {
    MutexLock lock(mutex_);
    // What never ended is lost, too.
    const std::uint64_t told = sent - of_this_host_;
    const double loss = told == 0
                            ? 0
                            : 100.0 * static_cast<double>(told - replies_) /
                                  static_cast<double>(told);
    char percent[32];
    std::snprintf(percent, sizeof(percent), "%.1f", loss);
    out_ << sent << " sent, " << replies_ << " received, " << percent
         << " % lost";
    if (told < sent) {
      out_ << " (without " << of_this_host_ << " that this host prevented)";
    }
    if (replies_ > 0) {
      out_ << "; round-trip time min/mean/max " << Milliseconds(shortest_)
           << " / " << Milliseconds(sum_ / static_cast<std::int64_t>(replies_))
           << " / " << Milliseconds(longest_);
    }
    out_ << std::endl;
  }

  /// False once something could not be written.
  bool written() {
    MutexLock lock(mutex_);
    return out_.good();
  }

  std::uint64_t replies() {
    MutexLock lock(mutex_);
    return replies_;
  }

 private:
  std::ostream& out_;
  Mutex mutex_;
  std::uint64_t replies_ GUARDED_BY(mutex_) = 0;
  std::uint64_t of_this_host_ GUARDED_BY(mutex_) = 0;
  Nanoseconds shortest_ GUARDED_BY(mutex_) = Nanoseconds::max();
  Nanoseconds longest_ GUARDED_BY(mutex_){};
  Nanoseconds sum_ GUARDED_BY(mutex_){};
};

Result<std::vector<IpAddress>> FindDestinations(const PingOptions& options,
                                                AddressLookup& lookup) {
  if (const auto zoned = ZonedAddress::Parse(options.destination)) {
    const auto address = ResolveZone(lookup, *zoned);
    if (!address.ok()) return address.error();
    if (!address.value().IsUnspecified()) return std::vector{address.value()};
  } else if (const auto name = AsciiHostName(options.destination)) {
    auto host = ResolveHost(lookup, *name);
    if (!host.ok()) return host.error();
    return std::move(host).value().addresses;
  }
  return Error{ErrorCode::kInvalidArgument,
               "destination " + options.destination +
                   ": neither an address of a host nor a host name"};
}

SourceConfig SourceOf(const PingOptions& options) {
  auto source = ParseSource(options.source, /*named=*/{});
  if (source.ok()) return std::move(source).value();
  return {.name = options.source,
          .kind = SourceConfig::Kind::kInterface,
          .address = {},
          .interface_name = options.source};
}

Result<Route> RouteOf(const PingOptions& options, AddressLookup& lookup,
                      const EchoTransport& transport) {
  auto destinations = FindDestinations(options, lookup);
  if (!destinations.ok()) return destinations.error();
  const SourceConfig source = SourceOf(options);
  const auto sources = FindSources(source, lookup);
  if (!sources.ok()) {
    const Error& error = sources.error();
    if (error.code != ErrorCode::kNotFound) return error;
    return Error{ErrorCode::kInvalidArgument, error.message};
  }
  return FindRoute(source, sources.value(), options.destination,
                   destinations.value(), options.echo.ip_version, transport);
}

// The reader has closed the output, as `| head` does, or the disk is full.
int FailToWrite(std::ostream& err) {
  err << "echo_exporter: the output cannot be written\n";
  return kExitFailure;
}

}  // namespace

int RunPing(const PingOptions& options,
            const Exporter::Environment& environment, ProcessEvents& events,
            std::ostream& out, std::ostream& err) {
  Tally tally(out);
  auto transport = environment.create_transport(
      EchoTransportOptions{}, [&](const EchoResult& result) {
        tally.Add(result, options.destination);
      });
  if (!transport.ok()) {
    err << "echo_exporter: " << transport.error().message << "\n";
    return kExitFailure;
  }
  EchoTransport& sender = *transport.value();
  auto route = RouteOf(options, *environment.lookup, sender);
  if (!route.ok()) {
    err << "echo_exporter: " << route.error().message << "\n";
    return route.error().code == ErrorCode::kInvalidArgument ? kExitUsage
                                                             : kExitFailure;
  }
  out << "echo requests to " << options.destination << " ("
      << route.value().destination.ToString() << "), "
      << options.echo.payload_size << " bytes of payload" << std::endl;

  std::uint64_t sent = 0;
  SteadyTime next = Clock::System().Now();
  while (options.count == 0 || sent < options.count) {
    const Nanoseconds wait = next - Clock::System().Now();
    if (sent > 0 && events.WaitFor(std::max(wait, Nanoseconds(0)))) break;
    if (!tally.written()) return FailToWrite(err);
    if (sender.in_flight() < sender.max_in_flight()) {
      sender.Send(MakeRequest(++sent, route.value(), options.echo));
    }
    next += options.interval;
  }
  sender.Drain(options.echo.timeout + std::chrono::seconds(3));
  tally.PrintSummary(sent);
  if (!tally.written()) return FailToWrite(err);
  return tally.replies() > 0 ? kExitSuccess : kExitFailure;
}

}  // namespace echo_exporter
