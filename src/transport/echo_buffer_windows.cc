#include "src/transport/echo_buffer_windows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/transport/echo_status_windows.h"

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

// An additional check to the system's: a reply must be in time.
EchoResult Classify(EchoOutcome outcome, Nanoseconds measured,
                    std::uint32_t kernel_ms, Nanoseconds timeout) {
  using std::chrono::milliseconds;
  EchoResult result;
  result.outcome = outcome;
  result.rtt = measured;
  if (outcome == EchoOutcome::kReply) {
    const ReconciledRtt reconciled = ReconcileRtt(measured, kernel_ms);
    result.rtt = reconciled.rtt;
    result.completion_delay = reconciled.completion_delay;
    // With small timeouts the system is known to accept replies that arrive
    // long after. But the measurement alone is not sufficient: it ends when one
    // of our threads ran. The system's milliseconds, which may be truncated by
    // up to one, must exceed the timeout as well.
    if (result.rtt > timeout &&
        milliseconds(kernel_ms) + milliseconds(1) > timeout) {
      result.outcome = EchoOutcome::kTimeout;
    }
  }
  return result;
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
  return destination_.is_v4() ? ReadV4(measured) : ReadV6(measured);
}

EchoResult EchoBuffer::ReadV4(Nanoseconds measured) const {
  EchoReplyV4 reply;
  std::memcpy(&reply, reply_.get(), sizeof(reply));
  EchoResult result = Classify(OutcomeOfStatus(reply.status, IpVersion::kV4),
                               measured, reply.round_trip_ms, timeout_);
  result.os_code = reply.status;
  std::array<std::uint8_t, 4> address;
  std::memcpy(address.data(), &reply.address, address.size());
  const IpAddress responder = IpAddress::V4(address);
  if (!responder.IsUnspecified()) result.responder = responder;
  if (reply.status != kIpSuccess) return result;

  result.reply_ttl = reply.options.ttl;
  const bool from_destination =
      responder == destination_ || IsMulticast(destination_);
  if (result.outcome == EchoOutcome::kReply &&
      (!from_destination ||
       !HoldsPayload(static_cast<const std::uint8_t*>(reply.data),
                     reply.data_size))) {
    result.outcome = EchoOutcome::kCorruptReply;
  }
  return result;
}

EchoResult EchoBuffer::ReadV6(Nanoseconds measured) const {
  EchoReplyV6 reply;
  std::memcpy(&reply, reply_.get(), sizeof(reply));
  EchoResult result = Classify(OutcomeOfStatus(reply.status, IpVersion::kV6),
                               measured, reply.round_trip_ms, timeout_);
  result.os_code = reply.status;
  std::array<std::uint8_t, 16> address;
  std::memcpy(address.data(), reply.address, address.size());
  const IpAddress responder = IpAddress::V6(address, reply.scope_id);
  if (!responder.IsUnspecified()) result.responder = responder;
  // The responder is not compared with the destination: a reply to an anycast
  // address comes from a unicast one (RFC 4443 section 4.2). The reply has no
  // size, but the buffer was cleared, and the payload contains a cookie.
  const auto* const data =
      reinterpret_cast<const std::uint8_t*>(reply_.get()) + sizeof(reply);
  if (result.outcome == EchoOutcome::kReply &&
      !HoldsPayload(data, payload_size_)) {
    result.outcome = EchoOutcome::kCorruptReply;
  }
  return result;
}

}  // namespace echo_exporter
