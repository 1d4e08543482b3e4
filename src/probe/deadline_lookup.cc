#include "src/probe/deadline_lookup.h"

#include <new>
#include <utility>

#include "src/engine/echo_route.h"

namespace echo_exporter {
namespace {

/// How many names with an answer are remembered; beyond, all are learnt again.
constexpr std::size_t kMaxRemembered = 4096;

}  // namespace

Result<std::vector<IpAddress>> DeadlineLookup::ResolveName(
    const std::string& name, SteadyTime deadline) {
  const MutexLock lock(mutex_);
  Answer answer = Ask(
      names_, answering_.contains(name) ? kMostNames : kMostNewNames,
      "resolving " + name,
      [this, name]() -> Answer {
        auto host = ResolveHost(lookup_, name);
        // Here, because the lookup ends when it ends, whoever still waits.
        const MutexLock ended(mutex_);
        Remember(name, host.ok());
        if (!host.ok()) return host.error();
        return SourceAddresses{.addresses = std::move(host.value().addresses)};
      },
      deadline);
  if (!answer.ok()) return answer.error();
  return std::move(answer.value().addresses);
}

Result<IpAddress> DeadlineLookup::FindAddress(const ZonedAddress& address,
                                              SteadyTime deadline) {
  if (address.zone.empty()) return address.address;
  const Answer answer = AskAdapter(
      "finding " + address.ToString(),
      [this, address]() -> Answer {
        const auto found = ResolveZone(lookup_, address);
        if (!found.ok()) return found.error();
        return SourceAddresses{.addresses = {found.value()}};
      },
      deadline);
  if (!answer.ok()) return answer.error();
  return answer.value().addresses.front();
}

Result<std::optional<SourceAddresses>> DeadlineLookup::FindSources(
    const SourceConfig& source, SteadyTime deadline) {
  if (source.kind == SourceConfig::Kind::kAddress && !source.zone.empty()) {
    const auto address = FindAddress({source.address, source.zone}, deadline);
    if (!address.ok()) return address.error();
    return std::optional(SourceAddresses{.addresses = {address.value()}});
  }
  if (source.kind != SourceConfig::Kind::kInterface) {
    return echo_exporter::FindSources(source, lookup_);
  }
  Answer answer = AskAdapter(
      "reading interface " + source.interface_name,
      [this, source] {
        return lookup_.InterfaceAddresses(source.interface_name);
      },
      deadline);
  if (!answer.ok()) return answer.error();
  return std::optional(std::move(answer).value());
}

DeadlineLookup::Answer DeadlineLookup::AskAdapter(const std::string& what,
                                                  std::function<Answer()> ask,
                                                  SteadyTime deadline) {
  const MutexLock lock(mutex_);
  return Ask(adapters_, kMostAdapters, what, std::move(ask), deadline);
}

DeadlineLookup::Answer DeadlineLookup::Ask(Calls& calls, std::size_t limit,
                                           const std::string& what,
                                           std::function<Answer()> ask,
                                           SteadyTime deadline) {
  Call call;
  if (const auto found = calls.find(what); found != calls.end()) {
    call = found->second;
  } else {
    if (calls.size() >= limit) {
      return Error{ErrorCode::kExhausted,
                   what + ": too many earlier lookups are still in progress"};
    }
    call = std::make_shared<std::optional<Answer>>();
    const Error no_means{ErrorCode::kExhausted,
                         what + ": no thread or no memory for the lookup"};
    if (!Begin(calls, what, call, std::move(ask), no_means)) return no_means;
  }
  while (!call->has_value()) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  if (call->has_value()) return **call;
  return Error{ErrorCode::kUnavailable, what + ": timeout"};
}

bool DeadlineLookup::Begin(Calls& calls, const std::string& what,
                           const Call& call, std::function<Answer()> ask,
                           const Error& no_means) {
  const auto place = calls.emplace(what, call).first;
  bool begun = false;
  try {
    begun = threads_.Run([this, &calls, what, call, ask = std::move(ask),
                          answer = Answer(no_means)]() mutable {
      try {
        answer = ask();
      } catch (const std::bad_alloc&) {
        // `answer` says so.
      }
      const MutexLock lock(mutex_);
      *call = std::move(answer);
      calls.erase(what);
      changed_.NotifyAll();
    });
  } catch (const std::bad_alloc&) {
    // As without a thread.
  }
  if (!begun) calls.erase(place);
  return begun;
}

void DeadlineLookup::Remember(const std::string& name, bool answers) {
  answering_.erase(name);
  if (!answers) return;
  if (answering_.size() >= kMaxRemembered) answering_.clear();
  answering_.insert(name);
}

}  // namespace echo_exporter
