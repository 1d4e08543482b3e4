#include "src/http/remote_address.h"

#include <string>
#include <string_view>

#include "src/http/http_library.h"

namespace echo_exporter {

std::optional<IpAddress> RemoteAddress(SocketHandle socket) {
  std::string written;
  int port = 0;
  httplib::detail::get_remote_ip_and_port(static_cast<socket_t>(socket),
                                          written, port);
  // How sockets of both IP versions write IPv4 addresses.
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view text =
      std::string_view(written).substr(0, written.find('%'));
  if (text.starts_with(kMapped)) {
    if (auto v4 = IpAddress::Parse(text.substr(kMapped.size()))) return v4;
  }
  return IpAddress::Parse(text);
}

}  // namespace echo_exporter
