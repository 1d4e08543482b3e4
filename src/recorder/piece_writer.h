#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "echo_exporter/text_sink.h"

namespace echo_exporter {

/// Collects text and passes it on in pieces of some size.
///
/// Confined to one thread.
class PieceWriter {
 public:
  /// Large enough to make the cost per piece negligible, small enough to stay
  /// in a processor's cache.
  static constexpr std::size_t kPieceSize = std::size_t{128} * 1024;

  /// `sink` must outlive the writer.
  explicit PieceWriter(const TextSink& sink) : sink_(sink) {
    text_.reserve(kPieceSize + kPieceSize / 8);
  }

  /// The text collected and not passed on yet; append to it.
  std::string& text() { return text_; }

  /// To be called regularly. False when the rest is not needed any more.
  bool FlushWhenLarge() {
    // What is left begins the next piece: a short one costs as much to send.
    if (text_.size() >= kPieceSize) {
      Pass(text_.size() / kPieceSize * kPieceSize);
    }
    return wanted_;
  }

  void Flush() { Pass(text_.size()); }

 private:
  void Pass(std::size_t size) {
    const std::string_view text = text_;
    for (auto rest = text.substr(0, size); wanted_ && !rest.empty();) {
      const std::string_view piece = rest.substr(0, kPieceSize);
      wanted_ = sink_(piece);
      rest.remove_prefix(piece.size());
    }
    text_.erase(0, size);
  }

  const TextSink& sink_;
  std::string text_;
  bool wanted_ = true;
};

}  // namespace echo_exporter
