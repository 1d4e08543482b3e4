#include "src/recorder/exposition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace echo_exporter {

namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

/// Length of the UTF-8 character (RFC 3629) that `text` begins with; 0 when it
/// begins with none.
std::size_t Utf8Length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

  // These four lead bytes narrow what may follow: no overlong form, no
  // surrogate, nothing above U+10FFFF.
  const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

void AppendEscaped(std::string_view value, std::string* out) {
  while (!value.empty()) {
    const std::size_t length = Utf8Length(value);
    if (length == 0) {
      out->append(kReplacementCharacter);
    } else if (value.front() == '\n') {
      out->append("\\n");
    } else {
      if (value.front() == '\\' || value.front() == '"') out->push_back('\\');
      out->append(value.substr(0, length));
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void AppendLabel(std::string_view name, std::string_view value,
                 std::string* out) {
  if (!out->empty()) out->push_back(',');
  out->append(name).append("=\"");
  AppendEscaped(value, out);
  out->push_back('"');
}

void AppendNumber(std::uint64_t value, std::string* out) {
  std::array<char, 20> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out->append(digits.data(), end);
}

/// Writes nanoseconds as seconds, exactly: a double has no room for the last
/// digits of a large sum.
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

void AppendSeconds(Nanoseconds duration, std::string* out) {
  AppendSeconds(static_cast<std::uint64_t>(duration.count()), out);
}

/// Writes `series{labels} `, to be followed by the value and a newline.
/// `more` is further labels, as `,le="0.1"`.
void AppendSeries(std::string_view series, std::string_view labels,
                  std::string_view more, std::string* out) {
  out->append(series).append(1, '{').append(labels).append(more).append("} ");
}

void AppendSample(std::string_view series, std::string_view labels,
                  std::string_view more, std::uint64_t value,
                  std::string* out) {
  AppendSeries(series, labels, more, out);
  AppendNumber(value, out);
  out->push_back('\n');
}

struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

std::string HeadOf(const Family& family) {
  std::string head("# HELP ");
  head.append(family.name).append(1, ' ').append(family.help);
  head.append("\n# TYPE ").append(family.name).append(1, ' ');
  head.append(family.type).append(1, '\n');
  return head;
}

/// Writes a family whose series `append_series(pair, out)` appends, if any.
template <typename AppendSeriesOf>
void WriteFamily(const Family& family, std::span<const PairSnapshot> pairs,
                 PieceWriter& writer, const AppendSeriesOf& append_series) {
  std::string& out = writer.text();
  bool begun = false;
  for (const PairSnapshot& pair : pairs) {
    const std::size_t begin = out.size();
    append_series(pair, &out);
    if (!begun && out.size() > begin) {
      out.insert(begin, HeadOf(family));
      begun = true;
    }
    if (!writer.FlushWhenLarge()) return;
  }
}

/// A family of at most one integer a pair: what `value_of(pair)` gives, if any.
template <typename ValueOf>
void WriteNumbers(const Family& family, std::span<const PairSnapshot> pairs,
                  PieceWriter& writer, const ValueOf& value_of) {
  WriteFamily(family, pairs, writer,
              [&](const PairSnapshot& pair, std::string* out) {
                const std::optional<std::uint64_t> value = value_of(pair);
                if (!value) return;
                AppendSample(family.name, *pair.labels, {}, *value, out);
              });
}

/// The same for durations.
template <typename DurationOf>
void WriteDurations(const Family& family, std::span<const PairSnapshot> pairs,
                    PieceWriter& writer, const DurationOf& duration_of) {
  WriteFamily(family, pairs, writer,
              [&](const PairSnapshot& pair, std::string* out) {
                const std::optional<Nanoseconds> duration = duration_of(pair);
                if (!duration) return;
                AppendSeries(family.name, *pair.labels, {}, out);
                AppendSeconds(*duration, out);
                out->push_back('\n');
              });
}

void AppendOutcomes(const PairSnapshot& pair, std::string* out) {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    const auto outcome = static_cast<EchoOutcome>(i);
    const std::uint64_t count = pair.stats.outcomes(outcome);
    const bool always =
        outcome == EchoOutcome::kReply || outcome == EchoOutcome::kTimeout;
    if (count == 0 && !always) continue;
    out->append("icmp_echo_outcomes_total{").append(*pair.labels);
    out->append(",outcome=\"").append(EchoOutcomeName(outcome)).append("\"} ");
    AppendNumber(count, out);
    out->push_back('\n');
  }
}

void AppendPairInfo(const PairSnapshot& pair, std::string* out) {
  if (!pair.route) return;
  const Route& route = *pair.route;
  out->append("icmp_echo_pair_info{").append(*pair.labels);
  out->append(",source_address=\"");
  if (route.source) out->append(route.source->ToString());
  out->append("\",destination_address=\"");
  out->append(route.destination.ToString()).append("\",ip_version=\"");
  out->append(route.destination.is_v4() ? "4" : "6").append("\"} 1\n");
}

void WriteStrayReplies(std::span<const PairSnapshot> pairs,
                       PieceWriter& writer) {
  WriteNumbers({"icmp_echo_late_replies_total", "counter",
                "ICMP echo replies to requests that had timed out or failed."},
               pairs, writer, [](const auto& p) {
                 return p.stats.stray_replies(StrayReply::kLate);
               });
  WriteNumbers({"icmp_echo_duplicate_replies_total", "counter",
                "Further ICMP echo replies to requests that had theirs."},
               pairs, writer, [](const auto& p) {
                 return p.stats.stray_replies(StrayReply::kDuplicate);
               });
}

}  // namespace

std::string RenderPairLabels(const PairLabels& labels) {
  std::string text;
  AppendLabel("group", labels.group, &text);
  AppendLabel("source", labels.source, &text);
  AppendLabel("destination", labels.destination, &text);
  for (const auto& [name, value] : labels.extra) {
    AppendLabel(name, value, &text);
  }
  text.shrink_to_fit();
  return text;
}

PairExposition::PairExposition(const std::vector<double>& rtt_buckets,
                               bool stray_replies)
    : stray_replies_(stray_replies) {
  for (const double bound : rtt_buckets) {
    std::array<char, 32> text;
    // The shortest text that reads back as the same number, in the notation
    // of Go's client library: the label is part of the series' identity.
    const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                   bound, std::chars_format::general)
                         .ptr;
    le_labels_.push_back(",le=\"" + std::string(text.data(), end) + '"');
  }
  le_labels_.push_back(",le=\"+Inf\"");
}

void PairExposition::AppendRttHistogram(const PairSnapshot& pair,
                                        std::string* out) const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < le_labels_.size(); ++i) {
    count += pair.stats.rtt_counts()[i];
    AppendSample("icmp_echo_rtt_seconds_bucket", *pair.labels, le_labels_[i],
                 count, out);
  }
  AppendSeries("icmp_echo_rtt_seconds_sum", *pair.labels, {}, out);
  AppendSeconds(pair.stats.rtt_sum(), out);
  out->push_back('\n');
  AppendSample("icmp_echo_rtt_seconds_count", *pair.labels, {}, count, out);
}

void PairExposition::Write(std::span<const PairSnapshot> pairs,
                           PieceWriter& writer) const {
  WriteNumbers(
      {"icmp_echo_requests_total", "counter", "ICMP echo requests attempted."},
      pairs, writer, [](const auto& p) { return p.stats.requests(); });
  WriteFamily({"icmp_echo_outcomes_total", "counter",
               "Finished ICMP echo requests by outcome: exactly one each."},
              pairs, writer, AppendOutcomes);
  WriteNumbers({"icmp_echo_in_flight", "gauge",
                "ICMP echo requests without outcome yet."},
               pairs, writer,
               [](const auto& p) { return p.stats.in_flight(); });
  if (stray_replies_) WriteStrayReplies(pairs, writer);
  WriteFamily({"icmp_echo_rtt_seconds", "histogram",
               "Round-trip time of ICMP echo replies in seconds."},
              pairs, writer, [this](const auto& pair, std::string* out) {
                AppendRttHistogram(pair, out);
              });
  WriteDurations(
      {"icmp_echo_last_rtt_seconds", "gauge",
       "Round-trip time of the last ICMP echo request in seconds; absent "
       "unless its outcome was a reply."},
      pairs, writer, [](const auto& p) { return p.stats.last_rtt(); });
  WriteDurations(
      {"icmp_echo_jitter_seconds", "gauge",
       "Smoothed difference of the round-trip times of successive ICMP echo "
       "replies in seconds (RFC 3550 section 6.4.1)."},
      pairs, writer, [](const auto& p) { return p.stats.jitter(); });
  WriteNumbers({"icmp_echo_reply_ttl", "gauge",
                "TTL or hop limit of the last ICMP echo reply."},
               pairs, writer,
               [](const auto& p) { return p.stats.reply_ttl(); });
  WriteNumbers(
      {"icmp_echo_up", "gauge", "1 if the last outcome was a reply, else 0."},
      pairs, writer, [](const auto& p) { return p.stats.up(); });
  WriteFamily({"icmp_echo_pair_info", "gauge",
               "Always 1; its labels tell the addresses in use now."},
              pairs, writer, AppendPairInfo);
}

}  // namespace echo_exporter
