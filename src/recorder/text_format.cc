#include "src/recorder/text_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>

#include "src/base/utf8.h"

namespace echo_exporter {
namespace {

std::string_view TypeName(FamilyType type) {
  switch (type) {
    case FamilyType::kCounter:
      return "counter";
    case FamilyType::kGauge:
      return "gauge";
    case FamilyType::kHistogram:
      break;
  }
  return "histogram";
}

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
    const std::size_t length = Utf8Length(value);
    if (length == 0) {
      out->append(kReplacementCharacter);
    } else if (value.front() == '\n') {
      out->append("\\n");
    } else {
      if (length == 1) out->push_back('\\');
      out->append(value.substr(0, length));
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
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

class TextFamilyWriter final : public FamilyWriter {
 public:
  explicit TextFamilyWriter(std::string* text) : text_(*text) {}

  void BeginFamily(const Family& family) override {
    family_ = family;
    begun_ = false;
  }

  void AddSample(std::span<const LabelView> labels, double value) override {
    AddLine("", labels, nullptr, value);
  }

  void AddHistogram(std::span<const LabelView> labels,
                    const HistogramValue& value) override {
    AddLine("_count", labels, nullptr, value.count);
    AddLine("_sum", labels, nullptr, value.sum);
    bool all = false;
    for (const auto& bucket : value.buckets) {
      AddLine("_bucket", labels, &bucket.upper_bound, bucket.cumulative_count);
      all = std::isinf(bucket.upper_bound);
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!all) AddLine("_bucket", labels, &infinity, value.count);
  }

  void EndFamily() override {}

 private:
  /// `bound`: the bound of a bucket, else null.
  template <typename Value>
  void AddLine(std::string_view suffix, std::span<const LabelView> labels,
               const double* bound, Value value) {
    if (!begun_) AppendFamilyHead(family_, &text_);
    begun_ = true;
    text_.append(family_.name).append(suffix);
    char before = '{';
    for (const LabelView& label : labels) {
      text_.push_back(before);
      AppendLabel(label.name, label.value, &text_);
      before = ',';
    }
    if (bound != nullptr) {
      text_.push_back(before);
      AppendBoundLabel(*bound, &text_);
      before = ',';
    }
    if (before == ',') text_.push_back('}');
    text_.push_back(' ');
    AppendNumber(value, &text_);
    text_.push_back('\n');
  }

  std::string& text_;
  Family family_;
  bool begun_ = false;
};

}  // namespace

void AppendFamilyHead(const Family& family, std::string* out) {
  out->append("# HELP ").append(family.name).append(1, ' ');
  out->append(family.help).append("\n# TYPE ").append(family.name);
  out->append(1, ' ').append(TypeName(family.type)).append(1, '\n');
}

void AppendLabel(std::string_view name, std::string_view value,
                 std::string* out) {
  out->append(name).append("=\"");
  AppendEscaped(value, out);
  out->push_back('"');
}

void AppendBoundLabel(double upper_bound, std::string* out) {
  out->append("le=\"");
  if (!AppendInfinityOrNan(upper_bound, out)) {
    AppendCharacters(out, upper_bound, std::chars_format::general);
  }
  out->push_back('"');
}

void AppendNumber(std::uint64_t value, std::string* out) {
  AppendCharacters(out, value);
}

void AppendNumber(double value, std::string* out) {
  if (AppendInfinityOrNan(value, out)) return;
  AppendCharacters(out, value, std::chars_format::general, 16);
}

void AppendSeconds(std::uint64_t nanoseconds, std::string* out) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  AppendNumber(nanoseconds / kSecond, out);
  std::uint64_t fraction = nanoseconds % kSecond;
  if (fraction == 0) return;
  std::array<char, 10> digits;
  digits[0] = '.';
  for (std::size_t i = 9; i > 0; --i) {
    digits[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  std::size_t length = digits.size();
  while (digits[length - 1] == '0') --length;
  out->append(digits.data(), length);
}

std::unique_ptr<FamilyWriter> CreateTextFamilyWriter(std::string* text) {
  return std::make_unique<TextFamilyWriter>(text);
}

}  // namespace echo_exporter
