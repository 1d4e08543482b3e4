#include "echo_exporter/target_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace echo_exporter {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Result<TargetList> Json(const std::string& text, bool strip_port = false) {
  return ReadTargetList(text, "t.json", TargetListFormat::kJson, strip_port);
}

Result<TargetList> Yaml(const std::string& text) {
  return ReadTargetList(text, "t.yml", TargetListFormat::kYaml, false);
}

std::string Fault(const Result<TargetList>& list) {
  return list.ok() ? "none" : list.error().message;
}

/// The one target of a list with that target alone.
Result<TargetList> One(const std::string& target, bool strip_port = false) {
  return Json(R"([{"targets": [")" + target + R"("]}])", strip_port);
}

TEST(TargetListTest, ReadsWhatPrometheusReads) {
  const auto list = Json(R"([
  {"targets": ["192.0.2.1", "edge.example.net"],
   "labels": {"site": "fra", "rack": "7", "empty": "", "job": "x",
              "__meta_datacenter": "dc1", "instance": "y"}},
  {"labels": null, "targets": ["[2001:db8::1]", "fe80::1%eth0"]},
  {"targets": null}, {}
])");
  ASSERT_TRUE(list.ok()) << list.error().message;
  const auto& targets = list.value().targets;
  ASSERT_THAT(targets, SizeIs(4));
  EXPECT_EQ(targets[0].destination.name, "192.0.2.1");
  EXPECT_EQ(targets[0].destination.address, IpAddress::Parse("192.0.2.1"));
  EXPECT_EQ(targets[1].destination.name, "edge.example.net");
  EXPECT_FALSE(targets[1].destination.address);
  EXPECT_EQ(targets[1].destination.labels,
            (Labels{{"rack", "7"}, {"site", "fra"}}));
  EXPECT_EQ(targets[1].line, 2U);
  EXPECT_EQ(targets[1].column, 29U);
  EXPECT_EQ(targets[2].destination.name, "2001:db8::1");
  EXPECT_THAT(targets[2].destination.labels, IsEmpty());
  EXPECT_EQ(targets[3].destination.zone, "eth0");
  EXPECT_EQ(list.value().rejected, 0U);
}

TEST(TargetListTest, ReadsYamlWhoseScalarsAreText) {
  const auto list = Yaml(
      "- targets:\n"
      "  - 192.0.2.1\n"
      "  - b\xc3\xbc"
      "cher.example\n"
      "  labels: {rack: 7, spare: no, pi: 3.0}\n"
      "- targets: [host]\n"
      "  labels:\n");
  ASSERT_TRUE(list.ok()) << list.error().message;
  const auto& targets = list.value().targets;
  ASSERT_THAT(targets, SizeIs(3));
  EXPECT_EQ(targets[0].destination.labels,
            (Labels{{"pi", "3.0"}, {"rack", "7"}, {"spare", "no"}}));
  EXPECT_EQ(targets[1].destination.ascii_name, "xn--bcher-kva.example");
}

TEST(TargetListTest, ReadsYamlWhoseGroupsShareLabels) {
  const auto list = Yaml(
      "- targets: [a]\n"
      "  labels: &fra {site: fra, rack: 1}\n"
      "- targets: [b]\n"
      "  labels: {<<: *fra, rack: 2}\n");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(list.value().targets.at(1).destination.labels,
            (Labels{{"rack", "2"}, {"site", "fra"}}));
}

TEST(TargetListTest, TargetsMaySetWhatTheirGroupHas) {
  const auto list = Json(R"([{"targets": ["a", "b"], "labels": {
    "__echo_interval__": "5s", "__echo_timeout__": "250ms",
    "__echo_payload_size__": "1400", "__echo_source__": "wan1"}}])");
  ASSERT_TRUE(list.ok()) << list.error().message;
  const TargetSettings& target = list.value().targets.at(1).settings;
  EXPECT_EQ(target.interval, std::chrono::seconds(5));
  EXPECT_EQ(target.timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(target.payload_size, 1400);
  EXPECT_EQ(target.source, "wan1");
  EXPECT_THAT(list.value().targets.at(1).destination.labels, IsEmpty());
}

TEST(TargetListTest, SaysWhatToDoWithPortsAndUrls) {
  EXPECT_THAT(Fault(One("192.0.2.1:9100")),
              HasSubstr("t.json:1:15: target \"192.0.2.1:9100\" has a port"));
  EXPECT_THAT(Fault(One("[2001:db8::1]:443")), HasSubstr("strip_port = true"));
  EXPECT_THAT(Fault(One("https://a.example/x")), HasSubstr("is a URL"));
  for (const auto& [text, host] : std::map<std::string, std::string>{
           {"192.0.2.1:9100", "192.0.2.1"},
           {"[2001:db8::1]:443", "2001:db8::1"},
           {"2001:db8::1", "2001:db8::1"},
           {"a.example:http", ""},
           {"a.example:80", "a.example"},
           {"https://u:p@a.example:8443/x?y#z", "a.example"},
           {"http://[2001:db8::2]/", "2001:db8::2"},
           {"tcp://192.0.2.7", "192.0.2.7"}}) {
    const auto list = One(text, /*strip_port=*/true);
    EXPECT_EQ(list.ok() ? list.value().targets.at(0).destination.name : "",
              host)
        << text;
  }
}

TEST(TargetListTest, RejectsTargetsOneByOne) {
  const auto list = Json(R"([
  {"targets": ["good", "10.0.0.0/24", "", "a b", "0.0.0.0", "224.0.0.1",
               "[192.0.2.1]", "[host]", "1.2.3", "a:1:2"]},
  {"targets": ["x", "y"], "labels": {"le": "1"}},
  {"targets": ["x"], "labels": {"a-b": "1"}},
  {"targets": ["x"], "labels": {"__echo_interval__": "1ms"}},
  {"targets": ["x"], "labels": {"__echo_size__": "1"}}
])");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_THAT(list.value().targets, SizeIs(1));
  EXPECT_EQ(list.value().rejected, 14U);
  ASSERT_THAT(list.value().rejections, SizeIs(kMostRejections));
  EXPECT_EQ(list.value().rejections[0],
            "t.json:2:24: target \"10.0.0.0/24\" is neither a host name nor an "
            "address");
  EXPECT_EQ(list.value().rejections[9],
            "t.json:4:44: label \"le\" is a built-in label of the exporter; "
            "choose another name");
}

TEST(TargetListTest, ChecksTheSettingsOfTargets) {
  const auto with = [](const std::string& label, const std::string& value) {
    return Fault(Json(R"([{"targets": ["x"], "labels": {")" + label +
                      R"(": ")" + value + R"("}}])"));
  };
  EXPECT_THAT(with("__echo_interval__", "2h"), HasSubstr("from 10ms to 1h"));
  EXPECT_THAT(with("__echo_interval__", "fast"), HasSubstr("not \"fast\""));
  EXPECT_THAT(with("__echo_timeout__", "61s"), HasSubstr("from 1ms to 1m"));
  EXPECT_THAT(with("__echo_payload_size__", "65501"), HasSubstr("65500"));
  EXPECT_THAT(with("__echo_payload_size__", "-1"), HasSubstr("65500"));
  EXPECT_THAT(with("__echo_payload_size__", "9x"), HasSubstr("65500"));
  EXPECT_THAT(with("__echo_source__", ""), HasSubstr("must not be empty"));
  EXPECT_THAT(with("__echo_typo__", "1"), HasSubstr("known are"));
  EXPECT_THAT(with("__name__", "dropped"), "none");
}

TEST(TargetListTest, OnlyAnExplicitEmptyListIsEmpty) {
  ASSERT_TRUE(Json("[]").ok());
  EXPECT_THAT(Json("[]").value().targets, IsEmpty());
  ASSERT_TRUE(Yaml("[]\n").ok());
  EXPECT_THAT(Fault(Json("")), "t.json:1:1: not valid JSON: it is empty");
  EXPECT_THAT(Fault(Yaml("")), HasSubstr("an empty list must be []"));
  EXPECT_THAT(Fault(Yaml("# nothing\n")), HasSubstr("must be []"));
  EXPECT_THAT(Fault(Json("null")), HasSubstr("must be []"));
  EXPECT_THAT(Fault(Json(R"([{"targets": []}])")), HasSubstr("must be []"));
  EXPECT_THAT(Fault(One("a:1")), HasSubstr("all targets are rejected: 1"));
}

TEST(TargetListTest, ReportsWhatIsNoListAndWhere) {
  EXPECT_THAT(Fault(Json("{}")),
              "t.json:1:1: a target list must be an array, not an object");
  EXPECT_THAT(Fault(Json("[\n 7]")), HasSubstr("t.json:2:2: a target group"));
  EXPECT_THAT(Fault(Json("[null]")), HasSubstr("a target group"));
  EXPECT_THAT(Fault(Json(R"([{"targets": "a"}])")),
              HasSubstr("t.json:1:14: targets must be an array"));
  EXPECT_THAT(Fault(Json(R"([{"targets": [1]}])")), HasSubstr("a target"));
  EXPECT_THAT(Fault(Json(R"([{"target": ["a"]}])")),
              HasSubstr("t.json:1:3: unknown key \"target\""));
  EXPECT_THAT(Fault(Json(R"([{"targets": ["a"], "labels": {"x": 1}}])")),
              HasSubstr("label \"x\" must be a string, not"));
  EXPECT_THAT(Fault(Json(R"([{"targets": ["a"], "targets": ["b"]}])")),
              HasSubstr("duplicate"));
  EXPECT_THAT(Fault(Yaml("- targets: [a]\n  labels: {x: 1, x: 2}\n")),
              HasSubstr("duplicate"));
  EXPECT_THAT(Fault(Json(R"([{"targets": ["a")")), HasSubstr("not valid JSON"));
  EXPECT_THAT(Fault(Json("[{\"targets\": [\"\xff\"]}]")),
              HasSubstr("t.json:1"));
  EXPECT_THAT(Fault(Yaml("- targets: [a]\n- targets: [\xff]\n")),
              "t.yml:2:13: not valid UTF-8");
  EXPECT_THAT(Fault(Json(R"([1, 2])")), HasSubstr("(and 1 more)"));
}

TEST(TargetListTest, LongNamesAreTargetsUpToTheLimitOfNames) {
  const std::string label(63, 'a');
  const std::string longest =
      label + '.' + label + '.' + label + '.' + std::string(61, 'b');
  EXPECT_TRUE(One(longest).ok());
  EXPECT_THAT(Fault(One(longest + "b")), HasSubstr("neither a host name"));
}

}  // namespace
}  // namespace echo_exporter
