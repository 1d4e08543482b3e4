#pragma once

#include <optional>
#include <utility>

namespace echo_exporter {

/// The last state of something that is looked at again and again and may be
/// seen half changed, such as a file: a new state counts when two looks in a
/// row have seen it.
///
/// Confined to one thread at a time.
template <typename State>
class Settled {
 public:
  Settled() = default;
  explicit Settled(State seen) : seen_(std::move(seen)) {}

  /// Whether the state has changed to `now` and the look before has seen the
  /// same; it counts as seen then.
  bool Look(State now) {
    const bool changed = seen_ != now;
    if (!changed || candidate_ == now) {
      MarkSeen(std::move(now));
      return changed;
    }
    candidate_ = std::move(now);
    return false;
  }

  /// `now` counts as seen.
  void MarkSeen(State now) {
    seen_ = std::move(now);
    candidate_.reset();
  }

  /// Nothing counts as seen.
  void Forget() { seen_.reset(); }

  const std::optional<State>& seen() const { return seen_; }

  /// Whether the last look has seen something new, which the next one is to
  /// confirm.
  bool unsettled() const { return candidate_.has_value(); }

 private:
  std::optional<State> seen_;
  std::optional<State> candidate_;
};

}  // namespace echo_exporter
