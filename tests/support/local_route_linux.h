#pragma once

#include <arpa/inet.h>
#include <net/route.h>
#include <netinet/in.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace echo_exporter {

/// Returns once this host receives at an IPv6 address that was just added to
/// it, in the calling thread's network namespace. The kernel sends from a new
/// address at once, but makes its local route later, on a thread of its own;
/// replies until then are lost.
inline void AwaitLocalRoute(const std::string& address) {
  in6_addr bytes{};
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) {
    throw std::runtime_error("not an IPv6 address: " + address);
  }
  std::string destination;
  for (const unsigned char byte : bytes.s6_addr) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    destination += digits;
  }
  while (true) {
    std::ifstream routes("/proc/thread-self/net/ipv6_route");
    if (!routes) throw std::runtime_error("reading the IPv6 routes");
    std::string line;
    while (std::getline(routes, line)) {
      if (!line.starts_with(destination + " 80 ")) continue;
      std::istringstream fields(line);
      std::string field;
      for (int i = 0; i < 9; ++i) fields >> field;
      if ((std::stoul(field, nullptr, 16) & RTF_LOCAL) != 0) return;
    }
    std::this_thread::yield();
  }
}

}  // namespace echo_exporter
