#include "echo_exporter/metrics_format.h"

#include <cstddef>
#include <optional>

#include "echo_exporter/family_writer.h"
#include "src/base/header_value.h"
#include "src/recorder/protobuf_format.h"
#include "src/recorder/text_format.h"

namespace echo_exporter {
namespace {

constexpr std::string_view kTextType = "text/plain";
constexpr std::string_view kTextVersion = "0.0.4";
constexpr std::string_view kProtobufType = "application/vnd.google.protobuf";
constexpr std::string_view kMessage = "io.prometheus.client.MetricFamily";

/// One element of an Accept header; its texts are parts of that.
struct MediaRange {
  std::string_view type;  ///< with the subtype
  // Parameters; empty: absent.
  std::string_view version;
  std::string_view message;
  std::string_view encoding;
  int quality = 1000;  ///< in thousandths
};

/// "0.25" as 250; more digits are ignored. Absent beyond 0 .. 1.
std::optional<int> ParseQuality(std::string_view text) {
  if (!text.starts_with('0') && !text.starts_with('1')) return std::nullopt;
  int quality = (text[0] - '0') * 1000;
  if (text.size() == 1) return quality;
  if (text[1] != '.') return std::nullopt;
  int place = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    quality += (digit - '0') * place;
    place /= 10;
  }
  if (quality > 1000) return std::nullopt;
  return quality;
}

std::string_view Unquoted(std::string_view value) {
  const bool quoted =
      value.size() >= 2 && value.starts_with('"') && value.ends_with('"');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// Absent when `text` has no type or no valid quality.
std::optional<MediaRange> ParseRange(std::string_view text) {
  MediaRange range;
  range.type = TakeElement(';', &text);
  if (range.type.find('/') == std::string_view::npos) return std::nullopt;
  while (!text.empty()) {
    std::string_view value = TakeElement(';', &text);
    const std::string_view name = TakeElement('=', &value);
    value = Unquoted(TakeElement(';', &value));
    if (EqualsIgnoringCase(name, "q")) {
      const auto quality = ParseQuality(value);
      if (!quality) return std::nullopt;
      range.quality = *quality;
    } else if (EqualsIgnoringCase(name, "version")) {
      range.version = value;
    } else if (EqualsIgnoringCase(name, "proto")) {
      range.message = value;
    } else if (EqualsIgnoringCase(name, "encoding")) {
      range.encoding = value;
    }
  }
  return range;
}

/// How exactly a range names the text format; absent: not at all.
std::optional<int> TextPrecision(const MediaRange& range) {
  if (range.type == "*/*") return 0;
  if (EqualsIgnoringCase(range.type, "text/*")) return 1;
  if (!EqualsIgnoringCase(range.type, kTextType)) return std::nullopt;
  if (range.version.empty()) return 2;
  if (range.version == kTextVersion) return 3;
  return std::nullopt;
}

bool NamesProtobuf(const MediaRange& range) {
  return EqualsIgnoringCase(range.type, kProtobufType) &&
         range.message == kMessage &&
         EqualsIgnoringCase(range.encoding, "delimited");
}

/// The range that says how much a format is wanted.
struct Wish {
  int precision = -1;  ///< -1: there is none
  int quality = 0;
  std::size_t place = 0;

  /// The most precise range counts; of equal ones, the first that wants most.
  void Consider(const Wish& other) {
    if (other.precision > precision ||
        (other.precision == precision && other.quality > quality)) {
      *this = other;
    }
  }
};

}  // namespace

std::string_view ContentTypeOf(MetricsFormat format) {
  return format == MetricsFormat::kProtobuf
             ? "application/vnd.google.protobuf; "
               "proto=io.prometheus.client.MetricFamily; encoding=delimited"
             : "text/plain; version=0.0.4; charset=utf-8";
}

MetricsFormat ChooseMetricsFormat(std::string_view accept) {
  constexpr int kNamed = 2;  // not by a wildcard
  Wish text;
  Wish protobuf;
  for (std::size_t place = 0; !accept.empty(); ++place) {
    const auto range = ParseRange(TakeElement(',', &accept));
    if (!range) continue;
    if (const auto precision = TextPrecision(*range)) {
      text.Consider({*precision, range->quality, place});
    }
    if (NamesProtobuf(*range)) {
      protobuf.Consider({kNamed, range->quality, place});
    }
  }
  const bool first = text.precision < kNamed || protobuf.place < text.place;
  return protobuf.quality > text.quality || (protobuf.quality == text.quality &&
                                             protobuf.quality > 0 && first)
             ? MetricsFormat::kProtobuf
             : MetricsFormat::kText;
}

std::unique_ptr<FamilyWriter> CreateFamilyWriter(
    MetricsFormat format, std::string* out, std::optional<WallTime> since) {
  return format == MetricsFormat::kProtobuf
             ? CreateProtobufFamilyWriter(out, since)
             : CreateTextFamilyWriter(out);
}

}  // namespace echo_exporter
