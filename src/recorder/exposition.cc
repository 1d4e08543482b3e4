#include "src/recorder/exposition.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "src/recorder/text_format.h"

namespace echo_exporter {

namespace {

class TextPairWriter final : public PairFamilyWriter {
 public:
  TextPairWriter(const std::vector<std::string>& bound_labels,
                 PieceWriter& writer)
      : bound_labels_(bound_labels), writer_(writer), text_(writer.text()) {}

  void BeginFamily(const Family& family) override {
    family_ = family;
    begun_ = false;
    line_begin_.assign(family.name).append(1, '{');
  }

  void AddNumber(const PairSnapshot& pair, std::span<const LabelView> more,
                 std::uint64_t value) override {
    BeginLine(line_begin_, pair);
    for (const LabelView& label : more) {
      text_.push_back(',');
      AppendLabel(label.name, label.value, &text_);
    }
    EndLine(value);
  }

  void AddSeconds(const PairSnapshot& pair, Nanoseconds value) override {
    BeginLine(line_begin_, pair);
    EndLineWithSeconds(static_cast<std::uint64_t>(value.count()));
  }

  void AddRttHistogram(const PairSnapshot& pair) override {
    WriteHeadOnce();
    // Most of the text consists of these lines, so their common part is built
    // once.
    bucket_begin_.assign(family_.name).append("_bucket{").append(*pair.labels);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < bound_labels_.size(); ++i) {
      count += pair.stats.rtt_counts()[i];
      text_.append(bucket_begin_).append(bound_labels_[i]);
      AppendNumber(count, &text_);
      text_.push_back('\n');
    }
    text_.append(family_.name);
    BeginLine("_sum{", pair);
    EndLineWithSeconds(pair.stats.rtt_sum());
    text_.append(family_.name);
    BeginLine("_count{", pair);
    EndLine(count);
  }

  void EndFamily() override {}

  bool Continue() override { return writer_.FlushWhenLarge(); }

 private:
  void WriteHeadOnce() {
    if (!begun_) AppendFamilyHead(family_, &text_);
    begun_ = true;
  }

  /// `begin`: the text before the labels.
  void BeginLine(std::string_view begin, const PairSnapshot& pair) {
    WriteHeadOnce();
    text_.append(begin).append(*pair.labels);
  }

  void EndLine(std::uint64_t value) {
    text_.append("} ");
    AppendNumber(value, &text_);
    text_.push_back('\n');
  }

  void EndLineWithSeconds(std::uint64_t nanoseconds) {
    text_.append("} ");
    AppendSeconds(nanoseconds, &text_);
    text_.push_back('\n');
  }

  const std::vector<std::string>& bound_labels_;
  PieceWriter& writer_;
  std::string& text_;  ///< of `writer_`
  Family family_;
  bool begun_ = false;
  std::string line_begin_;    ///< of a line without suffix
  std::string bucket_begin_;  ///< of a pair's buckets
};

}  // namespace

std::string RenderPairLabels(const PairLabels& labels) {
  std::string text;
  AppendLabel("group", labels.group, &text);
  text.push_back(',');
  AppendLabel("source", labels.source, &text);
  text.push_back(',');
  AppendLabel("destination", labels.destination, &text);
  for (const auto& [name, value] : labels.extra) {
    text.push_back(',');
    AppendLabel(name, value, &text);
  }
  text.shrink_to_fit();
  return text;
}

PairExposition::PairExposition(const std::vector<double>& rtt_buckets,
                               bool stray_replies, bool flow_renewals)
    : stray_replies_(stray_replies), flow_renewals_(flow_renewals) {
  const auto add = [this](double bound) {
    std::string& label = bound_labels_.emplace_back(",");
    AppendBoundLabel(bound, &label);
    label.append("} ");
  };
  for (const double bound : rtt_buckets) add(bound);
  add(std::numeric_limits<double>::infinity());
}

void PairExposition::Write(std::span<const PairSnapshot> pairs,
                           PieceWriter& writer) const {
  TextPairWriter text_writer(bound_labels_, writer);
  WritePairFamilies(pairs, stray_replies_, flow_renewals_, text_writer);
}

}  // namespace echo_exporter
