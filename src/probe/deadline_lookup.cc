#include "src/probe/deadline_lookup.h"

#include <memory>
#include <utility>

#include "src/engine/echo_route.h"

namespace echo_exporter {
namespace {

// Bounds the threads that an unresponsive name server can occupy.
constexpr std::size_t kMaxRunning = 256;

}  // namespace

Result<std::vector<IpAddress>> DeadlineLookup::ResolveName(
    const std::string& name, SteadyTime deadline) {
  return Ask<std::vector<IpAddress>>(
      "resolving " + name, [this, name] { return lookup_.ResolveName(name); },
      deadline);
}

Result<std::optional<SourceAddresses>> DeadlineLookup::FindSources(
    const SourceConfig& source, SteadyTime deadline) {
  if (source.kind != SourceConfig::Kind::kInterface) {
    return echo_exporter::FindSources(source, lookup_);
  }
  return Ask<std::optional<SourceAddresses>>(
      "reading interface " + source.interface_name,
      [this, source] { return echo_exporter::FindSources(source, lookup_); },
      deadline);
}

template <typename T>
Result<T> DeadlineLookup::Ask(const std::string& what,
                              std::function<Result<T>()> ask,
                              SteadyTime deadline) {
  // Shared with the thread, which may finish after the caller has returned.
  const auto answer = std::make_shared<std::optional<Result<T>>>();
  MutexLock lock(mutex_);
  if (running_ >= kMaxRunning) {
    return Error{ErrorCode::kExhausted,
                 what + ": too many earlier lookups are still in progress"};
  }
  if (!threads_.Run([this, ask = std::move(ask), answer] {
        auto found = ask();
        const MutexLock done(mutex_);
        *answer = std::move(found);
        --running_;
        changed_.NotifyAll();
      })) {
    return Error{ErrorCode::kExhausted, what + ": no thread to be had"};
  }
  ++running_;  // before the lookup's own end, which waits for the mutex
  while (!answer->has_value()) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  if (answer->has_value()) return **answer;
  return Error{ErrorCode::kUnavailable, what + ": timeout"};
}

}  // namespace echo_exporter
