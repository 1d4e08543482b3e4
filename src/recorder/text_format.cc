#include "src/recorder/text_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "src/base/utf8.h"
#include "src/recorder/prepared_labels.h"

namespace echo_exporter {
namespace {

/// By FamilyType.
constexpr std::array<std::string_view, 3> kTypeNames = {"counter", "gauge",
                                                        "histogram"};

constexpr auto kIsPlain = [](char c) {
  return static_cast<unsigned char>(c) < 0x80 && c != '\n' && c != '\\' &&
         c != '"';
};

void AppendEscaped(std::string_view value, std::string* out) {
  for (;;) {
    const auto plain_end =
        std::find_if_not(value.begin(), value.end(), kIsPlain);
    const auto plain = static_cast<std::size_t>(plain_end - value.begin());
    out->append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) return;
    const std::string_view character = TakeUtf8(&value);
    if (character == "\n") {
      out->append("\\n");
    } else {
      if (character.size() == 1) out->push_back('\\');
      out->append(character);
    }
  }
}

/// The text that std::to_chars(first, last, values...) writes.
template <typename... Values>
void AppendCharacters(std::string* out, Values... values) {
  std::array<char, 32> text;
  char* const end =
      std::to_chars(text.data(), text.data() + text.size(), values...).ptr;
  out->append(text.data(), end);
}

bool AppendInfinityOrNan(double value, std::string* out) {
  if (std::isfinite(value)) return false;
  out->append(std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
  return true;
}

/// The lines at the beginning of a family.
void AppendFamilyHead(const Family& family, std::string* out) {
  out->append("# HELP ").append(family.name).append(1, ' ');
  out->append(family.help).append("\n# TYPE ").append(family.name);
  const std::string_view type =
      kTypeNames[static_cast<std::size_t>(family.type)];
  out->append(1, ' ').append(type).append(1, '\n');
}

/// The label `le` of a bucket. Its text is part of the series' identity: the
/// shortest that is parsed as the same number, in the notation of Go's client
/// library.
void AppendBoundLabel(double upper_bound, std::string* out) {
  out->append("le=\"");
  if (!AppendInfinityOrNan(upper_bound, out)) {
    AppendCharacters(out, upper_bound, std::chars_format::general);
  }
  out->push_back('"');
}

/// Nanoseconds as seconds, exactly.
void AppendSeconds(std::uint64_t nanoseconds, std::string* out) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  AppendNumber(nanoseconds / kSecond, out);
  const std::uint64_t fraction = nanoseconds % kSecond;
  if (fraction == 0) return;
  // Nine digits, with a leading one where the point is to be.
  const std::size_t point = out->size();
  AppendNumber(kSecond + fraction, out);
  (*out)[point] = '.';
  out->erase(out->find_last_not_of('0') + 1);
}

void AppendValue(const SampleValue& value, std::string* out) {
  if (const auto* const seconds = std::get_if<ExactSeconds>(&value)) {
    AppendSeconds(seconds->nanoseconds, out);
  } else if (const auto* const number = std::get_if<double>(&value)) {
    AppendNumber(*number, out);
  } else {
    AppendNumber(std::get<std::uint64_t>(value), out);
  }
}

class TextFamilyWriter final : public FamilyWriter {
 public:
  explicit TextFamilyWriter(std::string* text) : text_(*text) {}

  void BeginFamily(const Family& family) override {
    family_ = family;
    begun_ = false;
    bound_labels_.clear();
  }

  void AddSample(const Series& series, const SampleValue& value) override {
    WriteHeadOnce();
    AddLine("", series, value);
  }

  void AddHistogram(const Series& series,
                    const HistogramValue& value) override {
    WriteHeadOnce();
    const std::uint64_t count = std::accumulate(
        value.counts.begin(), value.counts.end(), std::uint64_t{0});
    if (series.prepared != nullptr) {
      AddBuckets(series, value);
      AddLine("_sum", series, value.sum);
      AddLine("_count", series, count);
    } else {
      // The order of prometheus-cpp, which once wrote these.
      AddLine("_count", series, count);
      AddLine("_sum", series, value.sum);
      AddBuckets(series, value);
    }
  }

  void EndFamily() override {}

 private:
  bool MeasureFamily(const Family&) override { return false; }

  void WriteHeadOnce() {
    if (!begun_) AppendFamilyHead(family_, &text_);
    begun_ = true;
  }

  /// The name and the labels of a series, as far as other labels or the end may
  /// follow. Returns what has to come before another label.
  char AppendSeries(std::string_view suffix, const Series& series,
                    std::string* out) const {
    out->append(family_.name).append(suffix);
    char before = '{';
    if (series.prepared != nullptr) {
      out->append(1, before).append(series.prepared->text);
      before = ',';
    }
    for (const LabelView& label : series.labels) {
      out->push_back(before);
      AppendLabel(label.name, label.value, out);
      before = ',';
    }
    return before;
  }

  void AddLine(std::string_view suffix, const Series& series,
               const SampleValue& value) {
    if (AppendSeries(suffix, series, &text_) == ',') text_.push_back('}');
    text_.push_back(' ');
    AppendValue(value, &text_);
    text_.push_back('\n');
  }

  void AddBuckets(const Series& series, const HistogramValue& value) {
    if (value.bounds.empty()) return;
    if (bound_labels_.empty()) PrepareBounds(value.bounds);
    // Most of the text of a pair consists of these lines, so their common part
    // is built once.
    bucket_begin_.clear();
    const char before = AppendSeries("_bucket", series, &bucket_begin_);
    bucket_begin_.push_back(before);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < bound_labels_.size(); ++i) {
      count += value.counts[i];
      text_.append(bucket_begin_).append(bound_labels_[i]);
      AppendNumber(count, &text_);
      text_.push_back('\n');
    }
  }

  void PrepareBounds(std::span<const double> bounds) {
    const auto add = [this](double bound) {
      std::string& label = bound_labels_.emplace_back();
      AppendBoundLabel(bound, &label);
      label.append("} ");
    };
    for (const double bound : bounds) add(bound);
    add(std::numeric_limits<double>::infinity());
  }

  std::string& text_;
  Family family_;
  bool begun_ = false;
  /// Of the family, one per bucket: the text before the value, as in
  /// `le="0.1"} `.
  std::vector<std::string> bound_labels_;
  std::string bucket_begin_;  ///< the text before that of a series
};

}  // namespace

void AppendLabel(std::string_view name, std::string_view value,
                 std::string* out) {
  out->append(name).append("=\"");
  AppendEscaped(value, out);
  out->push_back('"');
}

void AppendNumber(std::uint64_t value, std::string* out) {
  AppendCharacters(out, value);
}

void AppendNumber(double value, std::string* out) {
  if (AppendInfinityOrNan(value, out)) return;
  AppendCharacters(out, value, std::chars_format::general, 16);
}

std::string RenderPairLabels(const PairLabels& labels) {
  std::string text;
  ForEachLabel(labels, [&text](std::string_view name, std::string_view value) {
    if (!text.empty()) text.push_back(',');
    AppendLabel(name, value, &text);
  });
  text.shrink_to_fit();
  return text;
}

std::unique_ptr<FamilyWriter> CreateTextFamilyWriter(std::string* text) {
  return std::make_unique<TextFamilyWriter>(text);
}

}  // namespace echo_exporter
