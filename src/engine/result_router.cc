#include "src/engine/result_router.h"

#include <utility>

namespace echo_exporter {
namespace {

// Tags of requests that do not belong to a pair have this bit.
constexpr std::uint64_t kExpectedBit = std::uint64_t{1} << 63;
static_assert(std::uint64_t{kRequestNumbers} << 32 == kExpectedBit);

bool IsOfPair(std::uint64_t tag) { return (tag & kExpectedBit) == 0; }

RequestId RequestOf(std::uint64_t tag) {
  return {static_cast<PairId>(tag), static_cast<std::uint32_t>(tag >> 32)};
}

}  // namespace

std::uint64_t ResultRouter::Expect(Completion done) {
  const MutexLock lock(mutex_);
  const std::uint64_t tag = kExpectedBit | next_expected_++;
  expected_.emplace(tag, std::move(done));
  return tag;
}

void ResultRouter::GiveUp() {
  std::unordered_map<std::uint64_t, Completion> given_up;
  {
    const MutexLock lock(mutex_);
    given_up.swap(expected_);
  }
  for (const auto& [tag, done] : given_up) {
    EchoResult result;
    result.tag = tag;
    result.outcome = EchoOutcome::kGeneralFailure;
    done(result);
  }
}

void ResultRouter::OnResult(const EchoResult& result) {
  if (IsOfPair(result.tag)) {
    const RequestId request = RequestOf(result.tag);
    recorder_.RecordResult(request, result);
    if (history_ != nullptr) history_->OnResult(request.pair, result);
    return;
  }
  Completion done;
  {
    const MutexLock lock(mutex_);
    const auto found = expected_.find(result.tag);
    if (found == expected_.end()) return;  // ended by GiveUp()
    done = std::move(found->second);
    expected_.erase(found);
  }
  done(result);
}

void ResultRouter::OnStrayReply(std::uint64_t tag, StrayReply kind) {
  // Other requests get exactly one result, which they have had.
  if (!IsOfPair(tag)) return;
  recorder_.RecordStrayReply(RequestOf(tag).pair, kind);
}

}  // namespace echo_exporter
