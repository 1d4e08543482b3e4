#include "src/recorder/protobuf_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <numeric>
#include <optional>
#include <string_view>

#include "src/base/utf8.h"
#include "src/base/varint.h"
#include "src/recorder/native_buckets.h"
#include "src/recorder/prepared_labels.h"

namespace echo_exporter {
namespace {

constexpr std::uint64_t TagOf(int field, int wire_type) {
  return static_cast<std::uint64_t>(field << 3 | wire_type);
}

/// Appends fields of a message (https://protobuf.dev/programming-guides/
/// encoding/).
class Message {
 public:
  /// Begins the message again, with the memory it has.
  void Clear() { bytes_.clear(); }
  const std::string& bytes() const { return bytes_; }

  void AddVarint(std::uint64_t value) { AppendVarint(value, &bytes_); }
  /// sint32 and sint64: small numbers are short, negative ones, too.
  void AddZigzag(std::int64_t value) { AppendZigzag(value, &bytes_); }
  void AddTag(int field, int wire_type) { AddVarint(TagOf(field, wire_type)); }
  void AddInteger(int field, std::uint64_t value) {
    AddTag(field, 0);
    AddVarint(value);
  }
  void AddSigned(int field, std::int64_t value) {
    AddTag(field, 0);
    AddZigzag(value);
  }
  void AddDouble(int field, double value) {
    AddTag(field, 1);
    auto bits = std::bit_cast<std::uint64_t>(value);
    std::array<char, 8> encoded;
    for (char& byte : encoded) {
      byte = static_cast<char>(bits);
      bits >>= 8;
    }
    bytes_.append(encoded.data(), encoded.size());
  }
  void AddBytes(int field, std::string_view bytes) {
    AddTag(field, 2);
    AddVarint(bytes.size());
    bytes_.append(bytes);
  }

 private:
  std::string bytes_;
};

/// Eight bytes at a time: most of what is written are labels.
bool IsAscii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t all = 0;
  for (; text.size() >= sizeof all; text.remove_prefix(sizeof all)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    all |= bytes;
  }
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return (all & kHighBits) == 0;
}

/// `text`, or in `*cleaned` the same with U+FFFD for what is not UTF-8, which
/// readers of the format reject.
std::string_view AsUtf8(std::string_view text, std::string* cleaned) {
  if (IsAscii(text)) return text;
  cleaned->clear();
  for (std::string_view rest = text; !rest.empty();) {
    cleaned->append(TakeUtf8(&rest));
  }
  return *cleaned;
}

double AsDouble(const SampleValue& value) {
  if (const auto* const seconds = std::get_if<ExactSeconds>(&value)) {
    return static_cast<double>(seconds->nanoseconds) / 1e9;
  }
  if (const auto* const number = std::get_if<double>(&value)) return *number;
  return static_cast<double>(std::get<std::uint64_t>(value));
}

std::uint64_t Sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

/// By FamilyType.
constexpr std::array<std::uint64_t, 3> kTypeNumbers = {0, 1, 4};

class ProtobufFamilyWriter final : public FamilyWriter {
 public:
  ProtobufFamilyWriter(std::string* out, std::optional<WallTime> since)
      : out_(*out), since_(since) {}

  void BeginFamily(const Family& family) override {
    if (mode_ != Mode::kMeasured) return Begin(family, Mode::kHeld);
    mode_ = Mode::kStreamed;
    place_ = 0;
    if (empty_) return;
    AppendVarint(size_, &out_);
    out_.append(head_.bytes());
  }

  void AddSample(const Series& series, const SampleValue& value) override {
    value_.Clear();
    value_.AddDouble(1, AsDouble(value));
    const bool counts = type_ == FamilyType::kCounter;
    if (counts) AddSince(3, series);
    AddMetric(series, counts ? 3 : 2);
  }

  void AddHistogram(const Series& series,
                    const HistogramValue& value) override {
    value_.Clear();
    value_.AddInteger(1, Sum(value.counts) - Sum(value.counts_before));
    value_.AddDouble(2, AsDouble(value.sum) - value.sum_before);
    AddClassicBuckets(value);
    if (value.native != nullptr) AddNativeBuckets(*value.native);
    AddSince(15, series);
    AddMetric(series, 7);
  }

  void EndFamily() override {
    if (mode_ == Mode::kHeld && !empty_) {
      AppendVarint(size_ + held_.size(), &out_);
      out_.append(head_.bytes()).append(held_);
    }
    mode_ = Mode::kHeld;
  }

 private:
  /// What becomes of a family's series.
  enum class Mode : std::uint8_t {
    kHeld,      ///< they are in `held_` until its end
    kMeasured,  ///< they are only counted in `size_`
    kStreamed,  ///< `size_` has been written, and they are
  };

  struct Rendered {
    const PreparedLabels* labels;
    std::string_view bytes;  ///< in `kept_`
  };

  bool MeasureFamily(const Family& family) override {
    Begin(family, Mode::kMeasured);
    return true;
  }

  void Begin(const Family& family, Mode mode) {
    mode_ = mode;
    place_ = 0;
    type_ = family.type;
    empty_ = true;
    held_.clear();
    head_.Clear();
    head_.AddBytes(1, family.name);
    head_.AddBytes(2, family.help);
    head_.AddInteger(3, kTypeNumbers[static_cast<std::size_t>(type_)]);
    size_ = head_.bytes().size();
  }

  /// The one up to infinity may be absent, and is.
  void AddClassicBuckets(const HistogramValue& value) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < value.bounds.size(); ++i) {
      count += value.counts[i];
      if (!value.counts_before.empty()) count -= value.counts_before[i];
      value_.AddTag(3, 2);
      value_.AddVarint(1 + VarintSize(count) + 1 + sizeof(double));
      value_.AddInteger(1, count);
      value_.AddDouble(2, value.bounds[i]);
    }
  }

  /// Spans tell where there are buckets: how many follow each other, and how
  /// far they are from those before. Deltas tell their counts, each as its
  /// difference to the one before.
  void AddNativeBuckets(const NativeBuckets& native) {
    value_.AddSigned(5, native.schema());
    value_.AddDouble(6, native.zero_threshold());
    if (native.zero_count() > 0) value_.AddInteger(7, native.zero_count());
    if (native.size() == 0) return;
    // A span costs more than some empty buckets.
    constexpr int kMostEmpty = 2;
    deltas_.Clear();
    int next = 0;    // index after the last bucket
    int offset = 0;  // of the current span
    std::uint64_t length = 0;
    std::int64_t last = 0;
    native.ForEach([&](int index, std::uint64_t count) {
      if (length == 0 || index - next > kMostEmpty) {
        if (length > 0) AddSpan(offset, length);
        offset = index - next;
        length = 0;
        next = index;
      }
      for (; next < index; ++next, ++length) {
        deltas_.AddZigzag(-last);
        last = 0;
      }
      deltas_.AddZigzag(static_cast<std::int64_t>(count) - last);
      last = static_cast<std::int64_t>(count);
      ++length;
      ++next;
    });
    AddSpan(offset, length);
    value_.AddBytes(13, deltas_.bytes());
  }

  void AddSpan(int offset, std::uint64_t length) {
    part_.Clear();
    part_.AddSigned(1, offset);
    part_.AddInteger(2, length);
    value_.AddBytes(12, part_.bytes());
  }

  void AddSince(int field, const Series& series) {
    const std::optional<WallTime> time = series.since ? series.since : since_;
    if (!time) return;
    // To the millisecond, as Prometheus keeps times.
    const auto since_epoch = time->time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const std::chrono::nanoseconds rest =
        std::chrono::floor<std::chrono::milliseconds>(since_epoch - seconds);
    part_.Clear();
    part_.AddInteger(1, static_cast<std::uint64_t>(seconds.count()));
    if (rest.count() > 0) {
      part_.AddInteger(2, static_cast<std::uint64_t>(rest.count()));
    }
    value_.AddBytes(field, part_.bytes());
  }

  void AddMetric(const Series& series, int value_field) {
    empty_ = false;
    const std::string_view labels = Render(series.prepared);
    metric_.Clear();
    for (const LabelView& label : series.labels) AddLabel(label);
    metric_.AddBytes(value_field, value_.bytes());
    const std::size_t size = labels.size() + metric_.bytes().size();
    if (mode_ == Mode::kMeasured) {
      size_ += 1 + VarintSize(size) + size;
      return;
    }
    std::string& out = mode_ == Mode::kHeld ? held_ : out_;
    AppendVarint(TagOf(4, 2), &out);
    AppendVarint(size, &out);
    out.append(labels).append(metric_.bytes());
  }

  /// The labels of a pair as they are written. Families have the same pairs, or
  /// some of them, in the same order: each is rendered once.
  std::string_view Render(const PreparedLabels* prepared) {
    if (prepared == nullptr) return {};
    const auto found = std::find_if(
        rendered_.begin() + static_cast<std::ptrdiff_t>(place_),
        rendered_.end(),
        [prepared](const Rendered& one) { return one.labels == prepared; });
    place_ = static_cast<std::size_t>(found - rendered_.begin());
    if (found == rendered_.end()) {
      metric_.Clear();
      ForEachLabel(prepared->labels,
                   [this](std::string_view name, std::string_view value) {
                     AddLabel({name, value});
                   });
      rendered_.push_back({prepared, Keep(metric_.bytes())});
    }
    return rendered_[place_].bytes;
  }

  std::string_view Keep(std::string_view bytes) {
    if (kept_.empty() ||
        kept_.back().capacity() - kept_.back().size() < bytes.size()) {
      kept_.emplace_back().reserve(std::max(kKeptBlock, bytes.size()));
    }
    std::string& block = kept_.back();
    block.append(bytes);
    const std::string_view all = block;
    return all.substr(all.size() - bytes.size());
  }

  /// As Message::AddBytes() adds them.
  static std::size_t SizeOfBytes(std::string_view bytes) {
    return 1 + VarintSize(bytes.size()) + bytes.size();
  }

  void AddLabel(const LabelView& label) {
    const std::string_view value = AsUtf8(label.value, &cleaned_);
    metric_.AddTag(1, 2);
    metric_.AddVarint(SizeOfBytes(label.name) + SizeOfBytes(value));
    metric_.AddBytes(1, label.name);
    metric_.AddBytes(2, value);
  }

  static constexpr std::size_t kKeptBlock = std::size_t{64} * 1024;

  std::string& out_;
  const std::optional<WallTime> since_;
  Mode mode_ = Mode::kHeld;
  FamilyType type_ = FamilyType::kGauge;
  bool empty_ = true;
  std::size_t size_ = 0;           ///< of its head and of what was measured
  std::deque<Rendered> rendered_;  ///< the labels of pairs, in their order
  std::deque<std::string> kept_;
  std::size_t place_ = 0;  ///< in them, of the latest
  Message head_;           ///< of the family
  std::string held_;
  // Each is a part of the one before, and is made before it.
  Message metric_;  ///< without prepared labels
  Message value_;   ///< counter, gauge or histogram
  Message part_;    ///< of that
  Message deltas_;
  std::string cleaned_;
};

}  // namespace

std::unique_ptr<FamilyWriter> CreateProtobufFamilyWriter(
    std::string* out, std::optional<WallTime> since) {
  return std::make_unique<ProtobufFamilyWriter>(out, since);
}

}  // namespace echo_exporter
