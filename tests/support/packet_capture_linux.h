#pragma once

#include <cstdint>
#include <string>

#include "echo_exporter/ip_address.h"
#include "src/base/unique_fd_posix.h"

namespace echo_exporter {

/// Sees the echo requests that leave by a device of the calling thread's
/// network namespace, from its construction on.
///
/// Confined to one thread.
class PacketCapture {
 public:
  struct Request {
    IpAddress source;
    IpAddress destination;
    int ttl = 0;
    int tos = 0;
    int identifier = 0;
    bool dont_fragment = false;  ///< of IPv4
    bool is_fragment = false;    ///< the first of several
  };

  /// Throws std::runtime_error.
  explicit PacketCapture(const std::string& device);

  /// Waits for the next one; throws std::runtime_error when none comes.
  Request Next();

 private:
  UniqueFd socket_;
};

}  // namespace echo_exporter
