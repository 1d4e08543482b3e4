#include "src/transport/icmp_sockets_linux.h"

#include <cerrno>
#include <string>

namespace echo_exporter {

Result<std::unique_ptr<IcmpSockets>> IcmpSockets::Open(
    std::size_t packets_at_once) {
  std::unique_ptr<IcmpSockets> sockets(new IcmpSockets(packets_at_once));
  auto v4 = IcmpSocket::Open(IpVersion::kV4, packets_at_once);
  auto v6 = IcmpSocket::Open(IpVersion::kV6, packets_at_once);
  if (!v4.ok() && !v6.ok()) return v4.error();
  if (v4.ok()) sockets->v4_ = std::move(v4).value();
  if (v6.ok()) sockets->v6_ = std::move(v6).value();
  MutexLock lock(sockets->mutex_);
  for (const auto& socket : {sockets->v4_, sockets->v6_}) {
    if (socket != nullptr) sockets->all_.push_back(socket);
  }
  return sockets;
}

IcmpSocket* IcmpSockets::ForRequest(const EchoRequest& request, bool* is_new,
                                    int* code) {
  *is_new = false;
  *code = EAFNOSUPPORT;
  if (request.destination.is_v4()) return v4_.get();
  if (v6_ == nullptr || !request.source) return v6_.get();
  const IcmpSocket::Binding binding{*request.source, request.source_interface};
  const auto found = bound_.find(binding);
  if (found != bound_.end()) return found->second.get();
  auto opened =
      IcmpSocket::Open(IpVersion::kV6, packets_at_once_, &binding, code);
  if (!opened.ok()) return nullptr;
  std::shared_ptr<IcmpSocket> socket = std::move(opened).value();
  bound_.emplace(binding, socket);
  MutexLock lock(mutex_);
  all_.push_back(socket);
  *is_new = true;
  return socket.get();
}

IcmpSockets::List IcmpSockets::All() const {
  MutexLock lock(mutex_);
  return all_;
}

std::size_t IcmpSockets::count() const {
  MutexLock lock(mutex_);
  return all_.size();
}

void IcmpSockets::AddStats(EchoTransportStats* stats) const {
  if (v4_ != nullptr) stats->ipv4_mechanism = SocketKindName(v4_->kind());
  if (v6_ != nullptr) stats->ipv6_mechanism = SocketKindName(v6_->kind());
  stats->receive_drops = 0;
  for (const auto& socket : All())
    *stats->receive_drops += socket->ReceiveDrops();
}

}  // namespace echo_exporter
