#include "tests/support/network_namespace_linux.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/support/local_route_linux.h"

namespace echo_exporter {
namespace {

constexpr char kOwnNamespace[] = "/proc/thread-self/ns/net";

}  // namespace

bool NetworkNamespace::IsAllowed() {
  // Tries it: a container's root may not.
  const UniqueFd outside(open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!outside || unshare(CLONE_NEWNET) != 0) return false;
  return setns(outside.get(), CLONE_NEWNET) == 0;
}

NetworkNamespace::NetworkNamespace(AllowedSockets sockets)
    : outside_(open(kOwnNamespace, O_RDONLY | O_CLOEXEC)) {
  if (!outside_ || unshare(CLONE_NEWNET) != 0) {
    throw std::runtime_error("making a network namespace");
  }
  // A range of groups; the first is empty.
  WriteSysctl("ipv4/ping_group_range",
              sockets == AllowedSockets::kRaw ? "1 0" : "0 2147483647");
  Ip("link set lo up");
  for (const std::string device : {"silent0", "silent1"}) {
    // Without ARP a packet goes to the address of the device itself, which is
    // not the other end's, and that drops it.
    Ip("link add " + device + " type veth peer name far_" + device);
    WriteSysctl("ipv6/conf/far_" + device + "/disable_ipv6", "1");
    Ip("link set " + device + " arp off up");
    Ip("link set far_" + device + " up");
  }
  Ip("address add 192.0.2.1/24 dev silent0");
  Ip("address add 192.0.2.2/24 dev silent0");
  Ip("address add 198.51.100.1/24 dev silent1");
  const auto add_ipv6 = [this](const std::string& address,
                               const std::string& device) {
    Ip("address add " + address + "/64 dev " + device + " nodad");
    AwaitLocalRoute(address);
  };
  add_ipv6("2001:db8::1", "silent0");
  add_ipv6("2001:db8::2", "silent0");
  add_ipv6("2001:db8:1::1", "silent1");
}

NetworkNamespace::~NetworkNamespace() {
  if (setns(outside_.get(), CLONE_NEWNET) != 0) std::abort();
}

void NetworkNamespace::WriteSysctl(const std::string& path,
                                   const std::string& value) {
  std::ofstream file("/proc/sys/net/" + path);
  file << value << std::flush;
  if (!file) throw std::runtime_error("writing the sysctl " + path);
}

void NetworkNamespace::Ip(const std::string& arguments) {
  const std::string command = "ip " + arguments;
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
}

}  // namespace echo_exporter
