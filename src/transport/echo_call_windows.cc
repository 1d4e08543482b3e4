#include "src/transport/echo_call_windows.h"

#include <chrono>
#include <cstring>

namespace echo_exporter {
namespace {

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
