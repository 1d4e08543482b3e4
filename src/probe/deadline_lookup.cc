#include "src/probe/deadline_lookup.h"

#include <memory>
#include <optional>
#include <system_error>
#include <thread>

namespace echo_exporter {
namespace {

// Bounds the threads that a dead name server can hold.
constexpr std::size_t kMaxRunning = 256;

using Answer = std::optional<Result<std::vector<IpAddress>>>;

}  // namespace

DeadlineLookup::~DeadlineLookup() {
  MutexLock lock(mutex_);
  while (running_ > 0) changed_.Wait(mutex_);
}

Result<std::vector<IpAddress>> DeadlineLookup::ResolveName(
    const std::string& name, SteadyTime deadline) {
  // Shared with the thread, which may come back after the caller has left.
  const auto answer = std::make_shared<Answer>();
  MutexLock lock(mutex_);
  if (running_ >= kMaxRunning) {
    return Error{ErrorCode::kExhausted,
                 "resolving " + name +
                     ": too many earlier lookups have not been answered"};
  }
  try {
    std::thread([this, name, answer] {
      auto found = lookup_.ResolveName(name);
      MutexLock done(mutex_);
      *answer = std::move(found);
      --running_;
      changed_.NotifyAll();
    }).detach();
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kExhausted,
                 "resolving " + name + ": " + error.what()};
  }
  ++running_;  // before the thread's own end, which waits for the mutex
  while (!answer->has_value()) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  if (answer->has_value()) return **answer;
  return Error{ErrorCode::kUnavailable,
               "resolving " + name + ": no answer in time"};
}

}  // namespace echo_exporter
