#include "echo_exporter/metrics_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace echo_exporter {
namespace {

const std::string kFamily =
    "application/vnd.google.protobuf;"
    "proto=io.prometheus.client.MetricFamily";
const std::string kFamilyAsText = kFamily + ";encoding=text";
const std::string kProtobuf = kFamily + ";encoding=delimited";

void ExpectText(const std::string& accept) {
  EXPECT_EQ(ChooseMetricsFormat(accept), MetricsFormat::kText) << accept;
}

void ExpectProtobuf(const std::string& accept) {
  EXPECT_EQ(ChooseMetricsFormat(accept), MetricsFormat::kProtobuf) << accept;
}

TEST(ChooseMetricsFormatTest, AnswersPrometheusAsItAsks) {
  // Without and with native histograms; Prometheus 3.14 and 2.42.
  ExpectText(
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
      "application/openmetrics-text;version=0.0.1;q=0.5,"
      "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
      "text/plain;version=0.0.4;q=0.3,*/*;q=0.2");
  ExpectProtobuf(
      kProtobuf +
      ";q=0.6,"
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
      "application/openmetrics-text;version=0.0.1;q=0.4,"
      "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
      "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
  ExpectText(
      "application/openmetrics-text;version=1.0.0,"
      "application/openmetrics-text;version=0.0.1;q=0.75,"
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
  ExpectProtobuf(kProtobuf +
                 ",application/openmetrics-text;version=1.0.0;q=0.8,"
                 "application/openmetrics-text;version=0.0.1;q=0.75,"
                 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
}

TEST(ChooseMetricsFormatTest, WritesTextUnlessProtobufIsNamed) {
  for (const std::string& accept : std::vector<std::string>{
           "", "*/*", "text/plain", "application/*",
           "application/*;q=1, */*;q=0", "application/json",
           "text/html,application/xhtml+xml,*/*;q=0.8",
           "application/vnd.google.protobuf", "application/openmetrics-text",
           "application/vnd.google.protobuf;encoding=delimited", kFamily,
           kFamilyAsText,
           "application/vnd.google.protobuf;proto=a.B;encoding=delimited"}) {
    ExpectText(accept);
  }
}

TEST(ChooseMetricsFormatTest, ComparesQualities) {
  ExpectProtobuf(kProtobuf);
  ExpectProtobuf(kProtobuf + ";q=0.001");
  ExpectText(kProtobuf + ";q=0");
  ExpectText(kProtobuf + ";q=0.000, */*;q=0");
  ExpectProtobuf(kProtobuf + ";q=0.2,text/plain;q=0.1");
  ExpectText(kProtobuf + ";q=0.1,text/plain;q=0.2");
  ExpectText("text/plain," + kProtobuf + ";q=0.9");
  ExpectText("*/*;q=0.9," + kProtobuf + ";q=0.8");
  ExpectProtobuf("text/plain;q=0," + kProtobuf + ";q=0.1");
}

TEST(ChooseMetricsFormatTest, AmongEqualsWhatIsNamedThenWhatIsFirst) {
  ExpectProtobuf("*/*," + kProtobuf);
  ExpectProtobuf("text/*," + kProtobuf);
  ExpectProtobuf(kProtobuf + ",text/plain");
  ExpectText("text/plain," + kProtobuf);
}

TEST(ChooseMetricsFormatTest, TheMostPreciseRangeCounts) {
  ExpectProtobuf("text/*;q=0.9,text/plain;version=0.0.4;q=0.1," + kProtobuf +
                 ";q=0.5");
  ExpectText("text/*;q=0.1,text/plain;q=0.9," + kProtobuf + ";q=0.5");
  ExpectProtobuf("*/*;q=0.9,text/*;q=0.1," + kProtobuf + ";q=0.5");
  // Another version is another format.
  ExpectProtobuf("text/plain;version=1.0.0;q=0.9," + kProtobuf + ";q=0.5");
  ExpectText("text/plain;charset=utf-8;q=0.9," + kProtobuf + ";q=0.5");
}

TEST(ChooseMetricsFormatTest, ReadsSpacesCaseAndQuotes) {
  ExpectProtobuf(
      " Application/Vnd.Google.Protobuf ; "
      "Proto=\"io.prometheus.client.MetricFamily\" ;Encoding=DELIMITED; Q=1.0");
  ExpectProtobuf(kProtobuf + ";note=\"a;q=0,text/plain\"");
  ExpectProtobuf(",, ," + kProtobuf + ",");
}

TEST(ChooseMetricsFormatTest, LeavesOutWhatIsMalformed) {
  for (const char* quality :
       {"", "2", "1.1", "-1", "0.5x", "x", "1.001", ".5", "0,5", "\"", "nan"}) {
    ExpectText(kProtobuf + ";q=" + quality);
  }
  for (const char* quality : {"0.5", "0.123456789", "1.", "1.000", "\"0.5\""}) {
    ExpectProtobuf(kProtobuf + ";q=" + quality);
  }
  ExpectText("protobuf");
  ExpectText("\"" + kProtobuf);
  ExpectText(kProtobuf + "\"");
}

TEST(MetricsFormatTest, NamesItsContentTypes) {
  EXPECT_EQ(ContentTypeOf(MetricsFormat::kText),
            "text/plain; version=0.0.4; charset=utf-8");
  // What is asked for under the name of an answer is that answer.
  ExpectProtobuf(std::string(ContentTypeOf(MetricsFormat::kProtobuf)));
}

}  // namespace
}  // namespace echo_exporter
