#pragma once

#include <string>

#include "src/base/unique_fd_posix.h"

namespace echo_exporter {

/// Which of the two ways to send ICMP a network namespace allows.
enum class AllowedSockets {
  kRaw,       ///< for those who have CAP_NET_RAW
  kDatagram,  ///< for everybody
};

/// A network namespace of its own for the thread that makes it, and for the
/// threads that this one starts; gone with them and with the object.
///
/// It has the loopback device and two others, whose neighbours never answer:
///
///     silent0   192.0.2.1, 192.0.2.2 /24; 2001:db8::1, 2001:db8::2 /64
///     silent1   198.51.100.1/24; 2001:db8:1::1/64
///
/// Confined to the thread that makes it.
class NetworkNamespace {
 public:
  /// Whether this process may make one.
  static bool IsAllowed();

  /// Throws std::runtime_error.
  explicit NetworkNamespace(AllowedSockets sockets);
  ~NetworkNamespace();
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  /// Runs `ip` in it; throws when that fails.
  void Ip(const std::string& arguments);

  /// Writes a file below /proc/sys/net; throws when that fails.
  void WriteSysctl(const std::string& path, const std::string& value);

 private:
  const UniqueFd outside_;
};

}  // namespace echo_exporter
