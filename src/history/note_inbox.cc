#include "src/history/note_inbox.h"

#include <algorithm>
#include <limits>
#include <new>

namespace echo_exporter {

void NoteInbox::Add(PairId pair, const EchoResult& result) noexcept {
  if (IsOfThisHost(result.outcome)) return;
  const bool is_reply = result.outcome == EchoOutcome::kReply;
  const auto rtt = std::min<std::int64_t>(
      result.rtt / kRttUnit + 1, std::numeric_limits<std::uint32_t>::max());
  const WallTime sent = is_reply ? WallTime() : WallAt(result.rtt);
  const MutexLock lock(mutex_);
  try {
    notes_.results.push_back(
        {pair, is_reply ? static_cast<std::uint32_t>(rtt) : 0});
    if (is_reply) return;
    notes_.failures.push_back({pair, {sent, result.outcome, result.responder}});
  } catch (const std::bad_alloc&) {
    // The history lacks it; the recorder has it.
  }
}

void NoteInbox::Add(const PairOutcome& outcome) noexcept {
  if (outcome.is_outage == outcome.was_outage) return;
  PairOutage outage{
      .begin = WallAt(clock_.Now() - outcome.sent + outcome.lasted),
      .length = std::nullopt,
      .losses = outcome.losses,
      .outcome = outcome.outcome};
  if (!outcome.is_outage) outage.length = outcome.lasted;
  const MutexLock lock(mutex_);
  try {
    notes_.outages.emplace_back(outcome.pair, outage);
  } catch (const std::bad_alloc&) {
    // As above.
  }
}

}  // namespace echo_exporter
