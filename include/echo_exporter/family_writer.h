#ifndef ECHO_EXPORTER_FAMILY_WRITER_H_
#define ECHO_EXPORTER_FAMILY_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

/// The observations of a histogram.
struct HistogramValue {
  struct Bucket {
    double upper_bound = 0;
    std::uint64_t cumulative_count = 0;  ///< of all up to the bound
  };
  /// By ascending bound; the bucket up to infinity, whose count is `count`, may
  /// be absent.
  std::span<const Bucket> buckets;
  std::uint64_t count = 0;
  double sum = 0;
};

/// Writes metric families in one of the formats that Prometheus reads.
///
/// A family's series are added between BeginFamily() and EndFamily(): by
/// AddSample() for counters and gauges, by AddHistogram() for histograms. A
/// family without series is omitted. No family and no series may be added
/// twice; they appear in the order of the calls. Arguments are used only during
/// the call, but a family's texts until EndFamily().
///
/// Confined to one thread.
class FamilyWriter {
 public:
  virtual ~FamilyWriter() = default;

  virtual void BeginFamily(const Family& family) = 0;
  virtual void AddSample(std::span<const LabelView> labels, double value) = 0;
  virtual void AddHistogram(std::span<const LabelView> labels,
                            const HistogramValue& value) = 0;
  virtual void EndFamily() = 0;

  /// A family of one counter or gauge without labels.
  void WriteSample(const Family& family, double value) {
    BeginFamily(family);
    AddSample({}, value);
    EndFamily();
  }
};

/// Appends to `text`, which must outlive the writer, in the text format 0.0.4:
/// complete families at each EndFamily(). Bytes of a label's value that are not
/// UTF-8 become U+FFFD.
std::unique_ptr<FamilyWriter> CreateTextFamilyWriter(std::string* text);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_FAMILY_WRITER_H_
