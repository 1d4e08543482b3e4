#include "src/transport/echo_buffer_windows.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

namespace echo_exporter {
namespace {

constexpr std::size_t kIcmpErrorSize = 8;
constexpr std::size_t kIoStatusBlockSize = 2 * sizeof(void*);

std::size_t ReplyHeaderSize(IpVersion version) {
  return version == IpVersion::kV4 ? sizeof(EchoReplyV4) : sizeof(EchoReplyV6);
}

bool IsMulticast(const IpAddress& v4) {
  return v4.bytes()[0] >= 224;  // 224.0.0.0/4 and the limited broadcast
}

void WINAPI IgnoreApc(void*, void*, ULONG) {}

ULONG ToIpAddr(const IpAddress& v4) {
  ULONG address;
  std::memcpy(&address, v4.bytes().data(), sizeof(address));
  return address;
}

sockaddr_in6 ToSockaddr(const IpAddress& v6) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  std::memcpy(&result.sin6_addr, v6.bytes().data(), v6.bytes().size());
  result.sin6_scope_id = v6.scope_id();
  return result;
}

// The last step before the call. A call that sets no error must not be judged
// by one of before.
std::int64_t BeginCall(const IcmpApi& api) {
  LARGE_INTEGER ticks;
  api.query_counter(&ticks);
  SetLastError(ERROR_SUCCESS);
  return ticks.QuadPart;
}

}  // namespace

std::size_t ReplyBufferSize(IpVersion version, std::size_t payload_size) {
  return ReplyHeaderSize(version) + payload_size + kIcmpErrorSize +
         kIoStatusBlockSize;
}

ReconciledRtt ReconcileRtt(Nanoseconds measured, std::uint32_t kernel_ms) {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  const Nanoseconds kernel = milliseconds(kernel_ms);
  if (measured > kernel + microseconds(1500)) {
    const Nanoseconds rtt = kernel + microseconds(500);
    return {rtt, measured - rtt};
  }
  return {measured, Nanoseconds(0)};
}

void EchoBuffer::Prepare(const EchoRequest& request, std::uint64_t cookie) {
  destination_ = request.destination;
  timeout_ = request.timeout;
  payload_size_ = request.payload_size;
  if (payload_ == nullptr || payload_size_ > payload_capacity_) {
    // The API requires a valid pointer even for an empty payload.
    const std::size_t capacity = std::max<std::size_t>(payload_size_, 64);
    payload_ = std::make_unique<std::uint8_t[]>(capacity);
    payload_capacity_ = capacity;
    for (std::size_t i = 0; i < payload_capacity_; ++i) {
      payload_[i] = static_cast<std::uint8_t>('a' + i % 26);
    }
  }
  std::memcpy(payload_.get(), &cookie,
              std::min<std::size_t>(sizeof(cookie), payload_size_));

  const std::size_t size =
      ReplyBufferSize(request.destination.version(), payload_size_);
  reply_size_ = static_cast<std::uint32_t>(size);
  if (size > reply_capacity_) {
    const std::size_t words = (size + 7) / 8;
    reply_ = std::make_unique<std::uint64_t[]>(words);
    reply_capacity_ = words * 8;
  }
  std::memset(reply_.get(), 0, size);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(reply_.get());
  const std::size_t status_offset = request.destination.is_v4()
                                        ? offsetof(EchoReplyV4, status)
                                        : offsetof(EchoReplyV6, status);
  std::memcpy(bytes + status_offset, &kIpPending, sizeof(kIpPending));
}

// An additional check to the system's: a reply must be in time.
EchoResult EchoBuffer::Classify(std::uint32_t status, Nanoseconds measured,
                                std::uint32_t kernel_ms) const {
  using std::chrono::milliseconds;
  EchoResult result;
  result.outcome = OutcomeOfStatus(status, destination_.version());
  result.os_code = status;
  result.rtt = measured;
  if (result.outcome != EchoOutcome::kReply) return result;
  const ReconciledRtt reconciled = ReconcileRtt(measured, kernel_ms);
  result.rtt = reconciled.rtt;
  result.completion_delay = reconciled.completion_delay;
  // With small timeouts the system is known to accept replies that arrive long
  // after. But the measurement alone is not sufficient: it ends when one of our
  // threads ran. The system's milliseconds, which may be truncated by up to
  // one, must exceed the timeout as well.
  if (result.rtt > timeout_ &&
      milliseconds(kernel_ms) + milliseconds(1) > timeout_) {
    result.outcome = EchoOutcome::kTimeout;
  }
  return result;
}

bool EchoBuffer::HoldsPayload(const std::uint8_t* data,
                              std::size_t size) const {
  if (size != payload_size_) return false;
  // The system's pointer is checked: it has been seen to point elsewhere.
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(reply_.get());
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  if (size > 0 && (address < first || address - first > reply_size_ - size)) {
    return false;
  }
  return size == 0 || std::memcmp(data, payload_.get(), size) == 0;
}

EchoResult EchoBuffer::Read(Nanoseconds measured) const {
  bool is_own = false;  // the payload, and the responder where that is known
  EchoResult result;
  if (destination_.is_v4()) {
    EchoReplyV4 reply;
    std::memcpy(&reply, reply_.get(), sizeof(reply));
    result = Classify(reply.status, measured, reply.round_trip_ms);
    std::array<std::uint8_t, 4> address;
    std::memcpy(address.data(), &reply.address, address.size());
    result.responder = IpAddress::V4(address);
    if (reply.status == kIpSuccess) result.reply_ttl = reply.options.ttl;
    is_own = (result.responder == destination_ || IsMulticast(destination_)) &&
             HoldsPayload(static_cast<const std::uint8_t*>(reply.data),
                          reply.data_size);
  } else {
    EchoReplyV6 reply;
    std::memcpy(&reply, reply_.get(), sizeof(reply));
    result = Classify(reply.status, measured, reply.round_trip_ms);
    result.responder =
        IpAddress::V6(std::to_array(reply.address), reply.scope_id);
    // The responder is not compared with the destination: a reply to an anycast
    // address comes from a unicast one (RFC 4443 section 4.2). The reply has no
    // size, but the buffer was cleared, and the payload contains a cookie.
    is_own = HoldsPayload(
        reinterpret_cast<const std::uint8_t*>(reply_.get()) + sizeof(reply),
        payload_size_);
  }
  if (result.responder->IsUnspecified()) result.responder.reset();
  if (result.outcome == EchoOutcome::kReply && !is_own) {
    result.outcome = EchoOutcome::kCorruptReply;
  }
  return result;
}

EchoCallReturn CallEcho(const IcmpApi& api, HANDLE icmp, HANDLE event,
                        const EchoRequest& request, EchoBuffer& buffer,
                        std::int64_t* sent_ticks) {
  if (icmp == INVALID_HANDLE_VALUE) return {.error = ERROR_NOT_SUPPORTED};
  const bool v4 = request.destination.is_v4();
  IpOptions options{};
  options.ttl = request.ttl;
  // Documented for IPv4 only. Routers do not fragment IPv6 anyway.
  if (v4 && request.dont_fragment) options.flags = kFlagDontFragment;
  const ApcRoutine apc = api.wine ? &IgnoreApc : nullptr;
  const auto timeout_ms = static_cast<DWORD>(
      std::chrono::ceil<std::chrono::milliseconds>(request.timeout).count());

  // GetLastError() must be the very next call: anything between may set it.
  // Once the call is made, the request may be another one.
  EchoCallReturn result;
  if (v4) {
    const ULONG source = request.source ? ToIpAddr(*request.source) : 0;
    const ULONG destination = ToIpAddr(request.destination);
    *sent_ticks = BeginCall(api);
    result.replies =
        api.send_echo(icmp, event, apc, nullptr, source, destination,
                      buffer.payload(), buffer.payload_size(), &options,
                      buffer.reply(), buffer.reply_size(), timeout_ms);
    result.error = GetLastError();
    return result;
  }
  sockaddr_in6 source = ToSockaddr(request.source.value_or(IpAddress::V6({})));
  sockaddr_in6 destination = ToSockaddr(request.destination);
  *sent_ticks = BeginCall(api);
  result.replies =
      api.send_echo6(icmp, event, apc, nullptr, &source, &destination,
                     buffer.payload(), buffer.payload_size(), &options,
                     buffer.reply(), buffer.reply_size(), timeout_ms);
  result.error = GetLastError();
  return result;
}

}  // namespace echo_exporter
