#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "echo_exporter/clock.h"
#include "echo_exporter/metrics_format.h"

namespace echo_exporter {

enum class FamilyType : std::uint8_t { kCounter, kGauge, kHistogram };

/// The properties that all series with the same name share.
struct Family {
  std::string_view name;  ///< [a-zA-Z_][a-zA-Z0-9_]*
  FamilyType type = FamilyType::kGauge;
  std::string_view help;  ///< one line, without backslashes
};

/// One label of a series. A value may be any text.
struct LabelView {
  std::string_view name;  ///< [a-zA-Z_][a-zA-Z0-9_]*
  std::string_view value;
};

/// Labels that many series share; see ProbeRecorder::Prepare().
struct PreparedLabels;

/// What is said of one series besides its value.
struct Series {
  /// Null: none. Else they come before `labels`.
  const PreparedLabels* prepared = nullptr;
  std::span<const LabelView> labels = {};
  /// When a counter or a histogram was zero; absent: when the writer says.
  std::optional<WallTime> since = std::nullopt;
};

/// Seconds as they were counted: a double cannot represent the last digits of a
/// large sum.
struct ExactSeconds {
  std::uint64_t nanoseconds = 0;
};

using SampleValue = std::variant<std::uint64_t, ExactSeconds, double>;

/// The sparse buckets of a histogram.
class NativeBuckets;

/// The observations of a histogram.
struct HistogramValue {
  /// Upper bounds of the classic buckets, ascending and finite, the same for
  /// all series of a family; empty: none are exposed.
  std::span<const double> bounds;
  /// By bucket, not cumulative: one more than there are bounds.
  std::span<const std::uint64_t> counts;
  SampleValue sum;
  /// Null: none. They count from Series::since on; formats that do not tell
  /// either write all that was ever observed.
  const NativeBuckets* native = nullptr;
  /// What `counts` and `sum` were at Series::since; empty: zero.
  std::span<const std::uint64_t> counts_before = {};
  double sum_before = 0;
};

/// Writes metric families in one of the formats that Prometheus reads.
///
/// A family's series are added between BeginFamily() and EndFamily(): by
/// AddSample() for counters and gauges, by AddHistogram() for histograms. A
/// family without series is omitted. No family and no series may be added
/// twice; they appear in the order of the calls. Arguments are used only during
/// the call, but a family's texts until EndFamily(); prepared labels must
/// outlive the writer.
///
/// Confined to one thread.
class FamilyWriter {
 public:
  virtual ~FamilyWriter() = default;

  virtual void BeginFamily(const Family& family) = 0;
  virtual void AddSample(const Series& series, const SampleValue& value) = 0;
  virtual void AddHistogram(const Series& series,
                            const HistogramValue& value) = 0;
  virtual void EndFamily() = 0;

  /// A large family, of which nothing is kept in memory: what is written may be
  /// passed on in pieces. `add_all()` adds the series, perhaps twice, and then
  /// must add the same.
  template <typename AddAll>
  void WriteFamily(const Family& family, const AddAll& add_all) {
    if (MeasureFamily(family)) add_all();
    BeginFamily(family);
    add_all();
    EndFamily();
  }

  /// A family of one counter or gauge without labels.
  void WriteSample(const Family& family, double value) {
    BeginFamily(family);
    AddSample({}, value);
    EndFamily();
  }

 private:
  /// Whether the family's series are to be added in advance, which then does
  /// not write them, because the format tells the size of a family first.
  virtual bool MeasureFamily(const Family& family) = 0;
};

/// Appends to `out`, which must outlive the writer: complete families at each
/// EndFamily(). Bytes of a label's value that are not UTF-8 become U+FFFD.
/// `since`: when counters were zero that do not say it; formats other than text
/// tell it.
std::unique_ptr<FamilyWriter> CreateFamilyWriter(
    MetricsFormat format, std::string* out,
    std::optional<WallTime> since = std::nullopt);

}  // namespace echo_exporter
