#include "scripted_network_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>

namespace echo_exporter::scripted_network {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kSmallMtu = 1280;
constexpr unsigned kOtherHost = 253;  // Both are in behaviour 0.
constexpr unsigned kRouter = 254;

enum class Behaviour : std::uint8_t {
  kNetwork = 0,
  kAtOnce = 1,
  kAfterMs = 2,
  kAfterTensOfMs = 3,
  kNever = 4,
  kEverySecond = 5,
  kLate = 6,
  kDuplicate = 7,
  kBursts = 8,
  kUnreachable = 10,
  kTimeExceeded = 11,
  kPathMtu = 12,
  kParameterProblem = 13,
  kRedirect = 14,
  kSourceQuench = 15,
  kReplyThenError = 16,
  kTruncated = 20,
  kCorrupted = 21,
  kBadChecksum = 22,
  kTtl = 23,
  kOtherSource = 24,
  kWrongId = 25,
  kHostUnreachable = 128,  // To kLastHostUnreachable.
};

constexpr unsigned kLastHostUnreachable = 191;
constexpr unsigned kBurstPeriod = 10;

struct PlanRow {
  Behaviour behaviour;
  const char* text;
};

constexpr PlanRow kPlan[] = {
    {Behaviour::kNetwork,
     "at once: .253 is the other host of 24, .254 the router that sends the\n"
     "      errors; .1 and .2 are this host, whose kernel answers"},
    {Behaviour::kAtOnce, "at once"},
    {Behaviour::kAfterMs, "after P ms"},
    {Behaviour::kAfterTensOfMs, "after 10*P ms"},
    {Behaviour::kNever, "never"},
    {Behaviour::kEverySecond, "at once, but only the 1st, 3rd, 5th... request"},
    {Behaviour::kLate, "after --late-ms"},
    {Behaviour::kDuplicate, "twice: at once and 1 ms later"},
    {Behaviour::kBursts, "at once, but of each 10 requests not the last P"},
    {Behaviour::kUnreachable,
     "destination unreachable, code P (IPv4: type 3, 0..15, code 4 with\n"
     "      MTU 1280; IPv6: type 1, 0..6)"},
    {Behaviour::kTimeExceeded, "time exceeded, code P (0, 1)"},
    {Behaviour::kPathMtu,
     "too big for an MTU of 10*P bytes: requests that are longer and may not\n"
     "      be fragmented, others at once; P = 0: all of them, MTU 1280"},
    {Behaviour::kParameterProblem, "parameter problem, code P (0..2)"},
    {Behaviour::kRedirect,
     "IPv4: redirect, code P (0..3), and forwarded: the reply after 5 ms"},
    {Behaviour::kSourceQuench, "IPv4: source quench, and the reply after 5 ms"},
    {Behaviour::kReplyThenError, "at once, and then at once host unreachable"},
    {Behaviour::kTruncated, "payload P bytes short (at least 1, at most all)"},
    {Behaviour::kCorrupted, "payload byte P changed (at most the last one)"},
    {Behaviour::kBadChecksum, "wrong ICMP checksum"},
    {Behaviour::kTtl, "TTL P (1..255)"},
    {Behaviour::kOtherSource, "from another host, 0.253"},
    {Behaviour::kWrongId, "identifier one too high"},
    {Behaviour::kHostUnreachable, "up to 191: host unreachable, any P"},
};

/// What a destination address says.
struct Permit {
  Behaviour behaviour;
  unsigned parameter;
};

/// The digits of `group` read as decimal, so that fd00:213::2:25 means what
/// 10.213.2.25 means; nothing for a-f.
std::optional<unsigned> DecimalDigits(unsigned group) {
  unsigned value = 0;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = group >> shift & 0xf;
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<Permit> FindPlace(const Address& destination) {
  std::optional<unsigned> behaviour = destination.bytes[2];
  std::optional<unsigned> parameter = destination.bytes[3];
  if (destination.is_ipv6) {
    if (Get16(destination.bytes, 8) != 0 || Get16(destination.bytes, 10) != 0) {
      return std::nullopt;
    }
    behaviour = DecimalDigits(Get16(destination.bytes, 12));
    parameter = DecimalDigits(Get16(destination.bytes, 14));
  }
  if (!behaviour || !parameter) return std::nullopt;
  if (*behaviour > static_cast<unsigned>(Behaviour::kHostUnreachable) &&
      *behaviour <= kLastHostUnreachable) {
    return Permit{Behaviour::kHostUnreachable, *parameter};
  }
  for (const PlanRow& row : kPlan) {
    if (static_cast<unsigned>(row.behaviour) == *behaviour) {
      return Permit{row.behaviour, *parameter};
    }
  }
  return std::nullopt;
}

/// The address of `host` in behaviour 0 of the prefix that `peer` is in.
Address NetworkHost(const Address& peer, unsigned host) {
  Address address = peer;
  if (peer.is_ipv6) {
    std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
    address.bytes[14] = static_cast<std::uint8_t>(host / 100);
    address.bytes[15] =
        static_cast<std::uint8_t>(host / 10 % 10 << 4 | host % 10);
  } else {
    address.bytes[2] = 0;
    address.bytes[3] = static_cast<std::uint8_t>(host);
  }
  return address;
}

std::vector<Answer> Reply(const Message& message, milliseconds delay = {}) {
  return {Answer{delay, false, BuildPacket(message)}};
}

/// An ICMP error from the router; nothing when no such code exists.
std::vector<Answer> Error(const EchoRequest& request, unsigned type,
                          unsigned code, unsigned last_code, unsigned rest) {
  if (code > last_code) return {};
  return {Answer{{},
                 true,
                 BuildPacket({.from = NetworkHost(request.destination, kRouter),
                              .to = request.source,
                              .type = static_cast<std::uint8_t>(type),
                              .code = static_cast<std::uint8_t>(code),
                              .rest = rest,
                              .body = QuoteForError(request)})}};
}

std::vector<Answer> TooBig(const EchoRequest& request, unsigned mtu) {
  return request.source.is_ipv6 ? Error(request, 2, 0, 0, mtu)
                                : Error(request, 3, 4, 4, mtu);
}

std::vector<Answer> Unreachable(const EchoRequest& request, unsigned code) {
  if (request.source.is_ipv6) return Error(request, 1, code, 6, 0);
  if (code == 4) return TooBig(request, kSmallMtu);
  return Error(request, 3, code, 15, 0);
}

/// What a router sends that forwards the request nevertheless, and the reply.
std::vector<Answer> WarnAndForward(const EchoRequest& request, unsigned type,
                                   unsigned code, unsigned last_code,
                                   unsigned rest) {
  if (request.source.is_ipv6) return {};
  std::vector<Answer> answers = Error(request, type, code, last_code, rest);
  if (answers.empty()) return {};
  answers.push_back(Reply(EchoReply(request), milliseconds(5)).front());
  return answers;
}

unsigned AsNumber(const Address& v4) {
  return Get16(v4.bytes, 0) << 16 | Get16(v4.bytes, 2);
}

void Truncate(Bytes& payload, unsigned bytes) {
  payload.resize(payload.size() -
                 std::min<std::size_t>(std::max(bytes, 1u), payload.size()));
}

void Corrupt(Bytes& payload, unsigned at) {
  if (payload.empty()) return;
  payload[std::min<std::size_t>(at, payload.size() - 1)] ^= 0xff;
}

}  // namespace

bool Contains(const AddressPlan& plan, const Address& address) {
  const ByteSpan prefix =
      address.is_ipv6 ? ByteSpan(plan.ipv6_prefix) : ByteSpan(plan.ipv4_prefix);
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

std::vector<Answer> AnswerRequest(const AddressPlan& plan,
                                  const EchoRequest& request,
                                  std::uint64_t number) {
  const std::optional<Permit> place = FindPlace(request.destination);
  if (!place || !Contains(plan, request.destination)) return {};
  const bool is_ipv6 = request.source.is_ipv6;
  const unsigned parameter = place->parameter;
  Message reply = EchoReply(request);
  switch (place->behaviour) {
    case Behaviour::kNetwork:
    case Behaviour::kAtOnce:
      return Reply(reply);
    case Behaviour::kAfterMs:
      return Reply(reply, milliseconds(parameter));
    case Behaviour::kAfterTensOfMs:
      return Reply(reply, milliseconds(10 * parameter));
    case Behaviour::kNever:
      return {};
    case Behaviour::kEverySecond:
      if (number % 2 == 0) return {};
      return Reply(reply);
    case Behaviour::kLate:
      return Reply(reply, plan.late);
    case Behaviour::kDuplicate:
      return {Reply(reply).front(), Reply(reply, milliseconds(1)).front()};
    case Behaviour::kBursts:
      if ((number - 1) % kBurstPeriod + parameter >= kBurstPeriod) return {};
      return Reply(reply);
    case Behaviour::kUnreachable:
      return Unreachable(request, parameter);
    case Behaviour::kHostUnreachable:
      return Unreachable(request, is_ipv6 ? 3 : 1);
    case Behaviour::kTimeExceeded:
      return Error(request, is_ipv6 ? 3 : 11, parameter, 1, 0);
    case Behaviour::kPathMtu:
      if (parameter == 0) return TooBig(request, kSmallMtu);
      if (request.dont_fragment && request.packet.size() > 10 * parameter) {
        return TooBig(request, 10 * parameter);
      }
      return Reply(reply);
    case Behaviour::kParameterProblem:
      return Error(request, is_ipv6 ? 4 : 12, parameter, 2, 0);
    case Behaviour::kRedirect:
      return WarnAndForward(
          request, 5, parameter, 3,
          AsNumber(NetworkHost(request.destination, kOtherHost)));
    case Behaviour::kSourceQuench:
      return WarnAndForward(request, 4, 0, 0, 0);
    case Behaviour::kReplyThenError:
      return {Reply(reply).front(),
              Unreachable(request, is_ipv6 ? 3 : 1).front()};
    case Behaviour::kTruncated:
      Truncate(reply.body, parameter);
      return Reply(reply);
    case Behaviour::kCorrupted:
      Corrupt(reply.body, parameter);
      return Reply(reply);
    case Behaviour::kBadChecksum: {
      std::vector<Answer> answers = Reply(reply);
      SpoilIcmpChecksum(answers.front().packet);
      return answers;
    }
    case Behaviour::kTtl:
      if (parameter < 1 || parameter > 255) return {};
      reply.ttl = static_cast<std::uint8_t>(parameter);
      return Reply(reply);
    case Behaviour::kOtherSource:
      reply.from = NetworkHost(request.destination, kOtherHost);
      return Reply(reply);
    case Behaviour::kWrongId:
      reply.rest += 0x10000;
      return Reply(reply);
  }
  return {};
}

std::string AddressPlanTable() {
  std::string table;
  for (const PlanRow& row : kPlan) {
    char number[8];
    std::snprintf(number, sizeof number, " %3u  ",
                  static_cast<unsigned>(row.behaviour));
    table.append(number).append(row.text).append("\n");
  }
  return table;
}

}  // namespace echo_exporter::scripted_network
