#include "src/transport/icmp_sockets_linux.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "src/transport/echo_status_linux.h"

namespace echo_exporter {
namespace {

// Longer than late replies are counted.
constexpr Nanoseconds kUnusedFor = std::chrono::minutes(5);
// As long as late and duplicate replies to brief flows are counted.
constexpr Nanoseconds kRetiredFor = std::chrono::seconds(5);
constexpr Nanoseconds kCheckSpacing = std::chrono::seconds(1);

// The place of sockets for brief flows.
constexpr std::uint32_t kBriefSlot = IcmpSockets::kSteadySockets;

std::uint32_t SlotOf(const IcmpSocket& common, const EchoFlow& flow) {
  // A raw socket sends all identifiers.
  if (common.kind() == IcmpSocket::Kind::kRaw) return 0;
  if (flow.kind != EchoFlow::Kind::kSteady) return kBriefSlot;
  return flow.renewals % IcmpSockets::kSteadySockets;
}

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
                                    bool* changed, int* code) {
  *changed = false;
  *code = EAFNOSUPPORT;
  const bool v4 = request.destination.is_v4();
  IcmpSocket* const common = v4 ? v4_.get() : v6_.get();
  if (common == nullptr) return nullptr;
  Place place{.version = request.destination.version(),
              .slot = SlotOf(*common, request.flow),
              .binding = std::nullopt};
  if (!v4 && request.source) {
    place.binding = Binding{*request.source, request.source_interface};
  }
  const std::uint64_t before = generation_;
  IcmpSocket* socket = nullptr;
  if (place.slot != 0) socket = Find(place, now, code);
  if (socket == nullptr) {
    // Better under another identifier than not at all.
    place.slot = 0;
    socket = place.binding ? Find(place, now, code) : common;
  }
  *changed = generation_ != before;
  return socket;
}

IcmpSocket* IcmpSockets::Find(const Place& place, SteadyTime now, int* code) {
  const auto found = opened_.find(place);
  const bool exists = found != opened_.end();
  if (exists && !HasSource(place, found->second, now)) {
    *code = EADDRNOTAVAIL;
    return nullptr;
  }
  if (exists) {
    found->second.used = now;
    if (place.slot != kBriefSlot || now - found->second.opened < kBriefUse) {
      return found->second.socket.get();
    }
  }
  if (IcmpSocket* const opened = Add(place, now, code)) return opened;
  const auto kept = opened_.find(place);
  return kept == opened_.end() ? nullptr : kept->second.socket.get();
}

// Opens the socket of a place, which takes the place of another one.
IcmpSocket* IcmpSockets::Add(const Place& place, SteadyTime now, int* code) {
  CloseUnused(now);
  if (opened_.size() >= kMostSockets && !CloseOne()) {
    *code = ENFILE;
    return nullptr;
  }
  Opened opened{.socket = nullptr, .opened = now, .used = now, .check = {}};
  if (place.binding) {
    const auto foreign_allowed = AllowsForeignSources(place.version);
    if (foreign_allowed.value_or(true)) opened.check = now;
    if (!HasSource(place, opened, now)) {
      *code = EADDRNOTAVAIL;
      return nullptr;
    }
  }
  auto socket =
      IcmpSocket::Open(place.version, packets_at_once_,
                       place.binding ? &*place.binding : nullptr, code);
  if (!socket.ok()) {
    // The descriptor comes back when the receiver has left the socket, for the
    // next request. Other identifiers are not worth the sockets of sources.
    if (place.slot == 0 && OutcomeOfErrno(*code) == EchoOutcome::kNoResources) {
      CloseOne();
    }
    return nullptr;
  }
  opened.socket = std::move(socket).value();
  if (auto before = opened_.extract(place)) {
    before.key().retired = ++retirements_;
    opened_.insert(std::move(before));
  }
  opened_[place] = opened;
  MutexLock lock(mutex_);
  all_.push_back(opened.socket);
  ++generation_;
  return opened.socket.get();
}

// Where the kernel lets anybody send from any address, somebody else must look.
bool IcmpSockets::HasSource(const Place& place, Opened& opened,
                            SteadyTime now) {
  if (!opened.check || now < *opened.check) return true;
  if (!IsOwnAddress(place.binding->source).value_or(true)) return false;
  opened.check = now + kCheckSpacing;
  return true;
}

void IcmpSockets::CloseUnused(SteadyTime now) {
  std::erase_if(opened_, [&](const auto& entry) {
    const auto& [place, opened] = entry;
    const Nanoseconds limit = place.retired == 0 ? kUnusedFor : kRetiredFor;
    if (now - opened.used < limit || opened.socket->requests() > 0) {
      return false;
    }
    Close(opened);
    return true;
  });
}

// Closes the least recently used socket without requests; false when each has
// some.
bool IcmpSockets::CloseOne() {
  auto oldest = opened_.end();
  for (auto it = opened_.begin(); it != opened_.end(); ++it) {
    if (it->second.socket->requests() > 0) continue;
    if (oldest == opened_.end() || it->second.used < oldest->second.used) {
      oldest = it;
    }
  }
  if (oldest == opened_.end()) return false;
  Close(oldest->second);
  opened_.erase(oldest);
  return true;
}

void IcmpSockets::Close(const Opened& opened) {
  MutexLock lock(mutex_);
  past_drops_ += opened.socket->ReceiveDrops();
  std::erase(all_, opened.socket);
  ++generation_;
}

IcmpSockets::List IcmpSockets::All() const {
  MutexLock lock(mutex_);
  return all_;
}

void IcmpSockets::AddStats(EchoTransportStats* stats) const {
  if (v4_ != nullptr) stats->ipv4_mechanism = v4_->mechanism();
  if (v6_ != nullptr) stats->ipv6_mechanism = v6_->mechanism();
  MutexLock lock(mutex_);
  stats->receive_drops = past_drops_;
  for (const auto& socket : all_) {
    *stats->receive_drops += socket->ReceiveDrops();
  }
}

}  // namespace echo_exporter
