#include "src/recorder/protobuf_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <deque>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "src/base/utf8.h"
#include "src/base/varint.h"
#include "src/recorder/native_buckets.h"
#include "src/recorder/prepared_labels.h"

namespace echo_exporter {
namespace {

/// Appends fields of a message (https://protobuf.dev/programming-guides/
/// encoding/).
class Message {
 public:
  /// Begins the message again, with the memory it has.
  void Clear() { bytes_.clear(); }
  const std::string& bytes() const { return bytes_; }
  void Reserve(std::size_t size) { bytes_.reserve(size); }
  std::string Take() { return std::exchange(bytes_, {}); }

  void AddVarint(std::uint64_t value) { AppendVarint(value, &bytes_); }
  /// sint32 and sint64: small numbers are short, negative ones, too.
  void AddZigzag(std::int64_t value) { AppendZigzag(value, &bytes_); }
  void AddTag(int field, int wire_type) {
    AddVarint(static_cast<std::uint64_t>(field << 3 | wire_type));
  }
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
    for (int i = 0; i < 8; ++i, bits >>= 8) {
      bytes_.push_back(static_cast<char>(bits));
    }
  }
  void AddBytes(int field, std::string_view bytes) {
    AddTag(field, 2);
    AddVarint(bytes.size());
    bytes_.append(bytes);
  }

 private:
  std::string bytes_;
};

/// `text`, or in `*cleaned` the same with U+FFFD for what is not UTF-8, which
/// readers of the format reject.
std::string_view AsUtf8(std::string_view text, std::string* cleaned) {
  constexpr auto kIsAscii = [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  };
  if (std::ranges::all_of(text, kIsAscii)) return text;
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
    type_ = family.type;
    empty_ = true;
    ending_ = false;
    written_.clear();
    family_.Clear();
    family_.AddBytes(1, family.name);
    family_.AddBytes(2, family.help);
    family_.AddInteger(3, kTypeNumbers[static_cast<std::size_t>(type_)]);
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

  bool EndFamilyInPart() override {
    if (empty_) return false;
    if (!std::exchange(ending_, true)) {
      EndBlock();
      std::size_t size = 0;
      for (const std::string& block : written_) size += block.size();
      value_.Clear();
      value_.AddVarint(size);
      out_.append(value_.bytes());
    }
    out_.append(written_.front());
    written_.pop_front();
    return !written_.empty();
  }

 private:
  /// The one up to infinity may be absent, and is.
  void AddClassicBuckets(const HistogramValue& value) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < value.bounds.size(); ++i) {
      count += value.counts[i];
      if (!value.counts_before.empty()) count -= value.counts_before[i];
      part_.Clear();
      part_.AddInteger(1, count);
      part_.AddDouble(2, value.bounds[i]);
      value_.AddBytes(3, part_.bytes());
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
    metric_.Clear();
    if (series.prepared != nullptr) {
      ForEachLabel(series.prepared->labels,
                   [this](std::string_view name, std::string_view value) {
                     AddLabel({name, value});
                   });
    }
    for (const LabelView& label : series.labels) AddLabel(label);
    metric_.AddBytes(value_field, value_.bytes());
    family_.AddBytes(4, metric_.bytes());
    empty_ = false;
    if (family_.bytes().size() >= kBlockSize) {
      EndBlock();
      family_.Reserve(kBlockSize + kBlockSize / 16);
    }
  }

  void EndBlock() { written_.push_back(family_.Take()); }

  void AddLabel(const LabelView& label) {
    part_.Clear();
    part_.AddBytes(1, label.name);
    part_.AddBytes(2, AsUtf8(label.value, &cleaned_));
    metric_.AddBytes(1, part_.bytes());
  }

  /// A large string that grows would for a moment be there twice.
  static constexpr std::size_t kBlockSize = std::size_t{64} * 1024;

  std::string& out_;
  const std::optional<WallTime> since_;
  FamilyType type_ = FamilyType::kGauge;
  bool empty_ = true;
  bool ending_ = false;              ///< EndFamilyInPart() has been called
  std::deque<std::string> written_;  ///< of the family, before `family_`
  // Each is a part of the one before, and is made before it.
  Message family_;
  Message metric_;
  Message value_;  ///< counter, gauge or histogram
  Message part_;   ///< of that, or of a label
  Message deltas_;
  std::string cleaned_;
};

}  // namespace

std::unique_ptr<FamilyWriter> CreateProtobufFamilyWriter(
    std::string* out, std::optional<WallTime> since) {
  return std::make_unique<ProtobufFamilyWriter>(out, since);
}

}  // namespace echo_exporter
