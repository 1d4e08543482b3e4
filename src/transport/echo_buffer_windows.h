#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "echo_exporter/echo.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

/// Size of the reply buffer that the API requires: the reply structure, the
/// payload, 8 bytes for an ICMP error message, and an IO_STATUS_BLOCK
/// (documentation of IcmpSendEcho2Ex and Icmp6SendEcho2).
std::size_t ReplyBufferSize(IpVersion version, std::size_t payload_size);

/// A round-trip time and how late this process noticed its end.
struct ReconciledRtt {
  Nanoseconds rtt;
  Nanoseconds completion_delay;
};

/// Combines this process's measurement around the call (precise, but including
/// the time until one of our threads ran) with the system's own whole
/// milliseconds (coarse, but without that time).
///
/// It is not documented whether the system truncates or rounds, so `kernel_ms`
/// stands for any time from one millisecond less to 1.5 more. A measurement in
/// that range is used unchanged. One above it ended late: the RTT is then
/// kernel_ms + 0.5 ms, the middle of the range of a truncated value, and the
/// rest is completion delay. One below it is used as well: it encloses the
/// system's own interval, so that the RTT cannot be longer, and it is the
/// system's clock that is coarse.
ReconciledRtt ReconcileRtt(Nanoseconds measured, std::uint32_t kernel_ms);

/// The memory that one echo request shares with the system: its payload and
/// its reply buffer. Grows to the size of the largest request and never
/// shrinks.
///
/// The payload begins with a cookie of 8 bytes, so that the reply to an earlier
/// or to a foreign request is not taken for this one's. A shorter payload has
/// only the cookie's first bytes: one of n bytes repeats after 256^n requests,
/// an empty one always.
///
/// Confined to one thread at a time; the system writes the reply buffer while
/// a request is in flight.
class EchoBuffer {
 public:
  /// Prepares for a request: fills the payload, clears the reply buffer and
  /// puts IP_PENDING where the system will write its status. Throws
  /// std::bad_alloc.
  void Prepare(const EchoRequest& request, std::uint64_t cookie);

  std::uint8_t* payload() { return payload_.get(); }
  std::uint16_t payload_size() const { return payload_size_; }
  void* reply() { return reply_.get(); }
  std::uint32_t reply_size() const { return reply_size_; }

  /// Reads the system's result. `measured` is this process's measurement. Sets
  /// everything in the result but the tag.
  EchoResult Read(Nanoseconds measured) const;

 private:
  EchoResult Classify(std::uint32_t status, Nanoseconds measured,
                      std::uint32_t kernel_ms) const;
  bool HoldsPayload(const std::uint8_t* data, std::size_t size) const;

  std::unique_ptr<std::uint8_t[]> payload_;
  std::unique_ptr<std::uint64_t[]> reply_;  // 64-bit words, for alignment
  std::size_t payload_capacity_ = 0;
  std::size_t reply_capacity_ = 0;
  std::uint16_t payload_size_ = 0;
  std::uint32_t reply_size_ = 0;
  IpAddress destination_;
  Nanoseconds timeout_{};
};

/// What the system's call for an echo request returned.
struct EchoCallReturn {
  DWORD replies = 0;
  DWORD error = 0;  ///< the last error

  /// The system has taken the request and will signal its event. 0 with a last
  /// error of 0 is not documented; if it means a failure, the watchdog ends the
  /// request.
  bool IsPending() const {
    return replies == ERROR_IO_PENDING ||
           (replies == 0 && (error == ERROR_IO_PENDING || error == 0));
  }
};

/// Hands the request to the system, with a prepared `buffer`. `icmp` is a
/// device of the destination's IP version. Writes the counter before the call
/// to `sent_ticks`; uses nothing of the request's once the call is made.
EchoCallReturn CallEcho(const IcmpApi& api, HANDLE icmp, HANDLE event,
                        const EchoRequest& request, EchoBuffer& buffer,
                        std::int64_t* sent_ticks);

}  // namespace echo_exporter
