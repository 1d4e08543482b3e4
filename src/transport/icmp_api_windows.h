#pragma once

// winsock2.h must come before windows.h.
#include <winsock2.h>
#include <ws2tcpip.h>
//
#include <windows.h>

#include <cstddef>
#include <cstdint>

#include "echo_exporter/echo.h"

namespace echo_exporter {

// The wire and buffer layouts of the ICMP API. They are declared here instead
// of included, because system headers of supported compilers differ from the
// system: mingw-w64 10 does not pack IPV6_ADDRESS_EX and lacks
// ICMPV6_ECHO_REPLY. The documentation's advice to use the ...32 forms on
// 64-bit systems is an error.

/// IP_OPTION_INFORMATION in the native layout.
struct IpOptions {
  std::uint8_t ttl;
  std::uint8_t tos;
  std::uint8_t flags;
  std::uint8_t options_size;
  std::uint8_t* options_data;
};
inline constexpr std::uint8_t kFlagDontFragment = 0x2;

/// ICMP_ECHO_REPLY in the native layout.
struct EchoReplyV4 {
  std::uint32_t address;  ///< network byte order
  std::uint32_t status;
  std::uint32_t round_trip_ms;
  std::uint16_t data_size;
  std::uint16_t reserved;
  void* data;
  IpOptions options;
};

#pragma pack(push, 1)
/// ICMPV6_ECHO_REPLY; the payload follows it directly.
struct EchoReplyV6 {
  std::uint16_t port;
  std::uint32_t flow_info;
  std::uint8_t address[16];  ///< network byte order
  std::uint32_t scope_id;
  std::uint16_t padding;
  std::uint32_t status;
  std::uint32_t round_trip_ms;
};
#pragma pack(pop)

static_assert(sizeof(EchoReplyV4) == (sizeof(void*) == 8 ? 40 : 28));
static_assert(offsetof(EchoReplyV4, status) == 4);
static_assert(offsetof(EchoReplyV4, data) == 16);
static_assert(sizeof(EchoReplyV6) == 36);
static_assert(offsetof(EchoReplyV6, address) == 6);
static_assert(offsetof(EchoReplyV6, scope_id) == 22);
static_assert(offsetof(EchoReplyV6, status) == 28);
static_assert(offsetof(EchoReplyV6, round_trip_ms) == 32);

using ApcRoutine = void(WINAPI*)(void* context, void* io_status_block,
                                 ULONG reserved);

/// Every system call of the Windows transport that can fail, that returns the
/// time or that waits for a callback, as plain function pointers with the
/// system's own signatures, so that a test can script the system's behaviour.
///
/// Immutable after construction.
struct IcmpApi {
  HANDLE(WINAPI* create_file)();
  BOOL(WINAPI* close_handle)(HANDLE icmp);
  DWORD(WINAPI* send_echo)
  (HANDLE icmp, HANDLE event, ApcRoutine apc, void* apc_context, ULONG source,
   ULONG destination, void* data, WORD data_size, IpOptions* options,
   void* reply, DWORD reply_size, DWORD timeout_ms);

  // Null where the system has no ICMPv6 API.
  HANDLE(WINAPI* create_file6)();
  DWORD(WINAPI* send_echo6)
  (HANDLE icmp, HANDLE event, ApcRoutine apc, void* apc_context,
   sockaddr_in6* source, sockaddr_in6* destination, void* data, WORD data_size,
   IpOptions* options, void* reply, DWORD reply_size, DWORD timeout_ms);

  HANDLE(WINAPI* create_event)
  (SECURITY_ATTRIBUTES* security, BOOL manual_reset, BOOL initial,
   const wchar_t* name);
  BOOL(WINAPI* register_wait)
  (HANDLE* wait, HANDLE object, WAITORTIMERCALLBACK callback, void* context,
   ULONG timeout_ms, ULONG flags);
  BOOL(WINAPI* unregister_wait)(HANDLE wait, HANDLE completion);
  BOOL(WINAPI* query_counter)(LARGE_INTEGER* ticks);
  BOOL(WINAPI* query_frequency)(LARGE_INTEGER* ticks_per_second);

  unsigned processors;  ///< of the machine; at least 1

  /// True under Wine, whose ICMP API needs two precautions: see
  /// echo_transport_windows.cc.
  bool wine;
};

/// The running system's API.
IcmpApi SystemIcmpApi();

// IP_STATUS values that the transport itself uses (ipexport.h).
inline constexpr std::uint32_t kIpSuccess = 0;
inline constexpr std::uint32_t kIpRequestTimedOut = 11010;
inline constexpr std::uint32_t kIpPending = 11255;

/// The outcome of a status of the ICMP API. `code` may be an IP_STATUS (11000
/// and above) from a reply buffer, or a Win32 error from GetLastError() after
/// the call: the API mixes both, so one table serves both. IP_PENDING counts as
/// a local failure: it is never final, and the transport writes it into a reply
/// buffer to detect whether the system has written a status.
///
/// Sources: ICMP_ECHO_REPLY and IcmpSendEcho2Ex in the Windows SDK
/// documentation, ipexport.h, winerror.h. Pure.
EchoOutcome OutcomeOfStatus(std::uint32_t code, IpVersion version);

}  // namespace echo_exporter
