#include "src/transport/icmp_sockets_linux.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

namespace echo_exporter {
namespace {

// Longer than any request is in flight, and than late replies are counted.
constexpr Nanoseconds kUnusedFor = std::chrono::minutes(5);

}  // namespace

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

bool IcmpSockets::HasRaw() const {
  const auto is_raw = [](const auto& socket) {
    return socket != nullptr && socket->kind() == IcmpSocket::Kind::kRaw;
  };
  return is_raw(v4_) || is_raw(v6_);
}

IcmpSocket* IcmpSockets::ForRequest(const EchoRequest& request, SteadyTime now,
                                    bool* is_new, int* code) {
  *is_new = false;
  *code = EAFNOSUPPORT;
  if (request.destination.is_v4()) return v4_.get();
  if (v6_ == nullptr || !request.source) return v6_.get();
  const IcmpSocket::Binding binding{*request.source, request.source_interface};
  const auto found = bound_.find(binding);
  if (found != bound_.end()) {
    found->second.used = now;
    return found->second.socket.get();
  }
  CloseUnused(now);
  auto opened =
      IcmpSocket::Open(IpVersion::kV6, packets_at_once_, &binding, code);
  if (!opened.ok()) return nullptr;
  std::shared_ptr<IcmpSocket> socket = std::move(opened).value();
  bound_.emplace(binding, Bound{.socket = socket, .used = now});
  MutexLock lock(mutex_);
  all_.push_back(socket);
  ++generation_;
  *is_new = true;
  return socket.get();
}

void IcmpSockets::CloseUnused(SteadyTime now) {
  MutexLock lock(mutex_);
  std::erase_if(bound_, [&](const auto& entry) REQUIRES(mutex_) {
    const auto& [binding, bound] = entry;
    if (now - bound.used < kUnusedFor) return false;
    past_drops_ += bound.socket->ReceiveDrops();
    std::erase(all_, bound.socket);
    ++generation_;
    return true;
  });
}

IcmpSockets::List IcmpSockets::All() const {
  MutexLock lock(mutex_);
  return all_;
}

void IcmpSockets::AddStats(EchoTransportStats* stats) const {
  if (v4_ != nullptr) stats->ipv4_mechanism = SocketKindName(v4_->kind());
  if (v6_ != nullptr) stats->ipv6_mechanism = SocketKindName(v6_->kind());
  MutexLock lock(mutex_);
  stats->receive_drops = past_drops_;
  for (const auto& socket : all_) {
    *stats->receive_drops += socket->ReceiveDrops();
  }
}

}  // namespace echo_exporter
