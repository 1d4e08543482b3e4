#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "echo_exporter/config.h"
#include "src/base/file.h"
#include "tests/support/temporary_folder.h"

namespace echo_exporter {
namespace {

using Strings = std::vector<std::string>;

std::string GroupText(const std::string& name) {
  return "[[group]]\nname = \"" + name + "\"\ndestinations = [\"192.0.2.1\"]\n";
}

using Included = Result<std::vector<ConfigFile>>;

ConfigFile File(const std::string& path, const std::string& text) {
  return {.path = path, .text = text};
}

/// A main file that includes, as one element, the given files.
ConfigFiles Including(const std::string& main, std::vector<ConfigFile> files) {
  return {.main = File("main.toml", "include = [\"conf.d/*.toml\"]\n" + main),
          .included = {Included(std::move(files))}};
}

ConfigErrors ErrorsIn(const std::string& included) {
  return ParseConfigFiles(Including("", {File("a.toml", included)})).errors;
}

Strings GroupNames(const ConfigOutcome& outcome) {
  EXPECT_EQ(outcome.errors, ConfigErrors());
  Strings names;
  if (!outcome.config) return names;
  for (const GroupConfig& group : outcome.config->groups) {
    names.push_back(group.name);
  }
  return names;
}

TEST(ConfigFilesTest, IncludedFilesHaveGroupsSourcesAndModules) {
  const ConfigOutcome outcome = ParseConfigFiles(Including(
      "[defaults]\ninterval = \"7s\"\n" + GroupText("main"),
      {File("conf.d/a.toml", GroupText("a") + "sources = [\"wan\"]\n"),
       File("conf.d/b.toml",
            "[sources]\nwan = \"192.0.2.9\"\n"
            "[modules.slow]\nsource = \"wan\"\n")}));
  EXPECT_EQ(GroupNames(outcome), (Strings{"main", "a"}));
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->groups[1].interval, std::chrono::seconds(7));
  EXPECT_EQ(outcome.config->groups[1].sources.at(0).name, "wan");
  EXPECT_EQ(outcome.config->modules.at("slow").source.name, "wan");
  EXPECT_EQ(outcome.config->pairs.size(), 2U);
}

TEST(ConfigFilesTest, ErrorsNameTheRightFile) {
  EXPECT_EQ(ErrorsIn("[[group]]\nname = 1\n[web]\n"),
            (ConfigErrors{
                "a.toml:1:1: group 1: destinations are missing",
                "a.toml:2:8: group 1: name must be a string, not an integer",
                "a.toml:3:2: in an included file: unknown key \"web\"; allowed "
                "here: group, modules, sources"}));
  EXPECT_EQ(ErrorsIn("include = [\"b.toml\"]\n"),
            (ConfigErrors{"a.toml:1:1: in an included file: unknown key "
                          "\"include\"; allowed here: group, modules, "
                          "sources"}));
  // What lacks a file that is no TOML would only be misleading.
  const ConfigErrors broken =
      ParseConfigFiles(Including(GroupText("g") + "sources = [\"wan\"]\n",
                                 {File("a.toml", "[sources]\nwan = ")}))
          .errors;
  ASSERT_EQ(broken.size(), 1U);
  EXPECT_TRUE(broken[0].starts_with("a.toml:2:")) << broken[0];
}

TEST(ConfigFilesTest, ANameDefinedTwiceIsAnErrorThatNamesBothPlaces) {
  const std::string text = GroupText("g") +
                           "[sources]\nwan = \"192.0.2.1\"\n"
                           "[modules.icmp]\nttl = 1\n";
  EXPECT_EQ(
      ParseConfigFiles(Including(text, {File("conf.d/a.toml", text)})).errors,
      (ConfigErrors{"conf.d/a.toml:2:8: group \"g\": name is a duplicate of "
                    "main.toml:3:8",
                    "conf.d/a.toml:5:1: [sources]: \"wan\" is a duplicate of "
                    "main.toml:6:1",
                    "conf.d/a.toml:6:10: [modules]: \"icmp\" is a duplicate of "
                    "main.toml:7:10"}));
}

TEST(ConfigFilesTest, SaysWhatCannotBeIncluded) {
  const Included none = std::vector<ConfigFile>();
  const ConfigFile gone{.path = "x.toml",
                        .text = Error{ErrorCode::kNotFound, "gone"}};
  const ConfigFiles files{
      .main = File("main.toml",
                   "include = [\"\", \"a*b*\", \"*/a.toml\", \"a\\u0007\", "
                   "\"none*\", \"x.toml\", \"y*\"]\n"),
      .included = {none, none, none, none, none, Included({gone}),
                   Included(Error{ErrorCode::kUnavailable, "not allowed"})}};
  EXPECT_EQ(ParseConfigFiles(files).errors,
            (ConfigErrors{
                "main.toml:1:12: include: \"\" must not be empty",
                "main.toml:1:16: include: \"a*b*\" must have at most one "
                "\"*\", which is behind the last \"/\"",
                "main.toml:1:24: include: \"*/a.toml\" must have at most one "
                "\"*\", which is behind the last \"/\"",
                "main.toml:1:36: include: \"a\\u0007\" must not contain "
                "control characters",
                "main.toml:1:56: include: reading \"x.toml\": gone",
                "main.toml:1:66: include: \"y*\": not allowed"}));
  EXPECT_EQ(ParseConfig("include = \"a.toml\"\n", "f").errors,
            (ConfigErrors{
                "f:1:11: include must be an array of strings, not a string"}));
  const ConfigOutcome empty = ParseConfig("include = [\"conf.d/*\"]\n", "f");
  ASSERT_TRUE(empty.config);
  EXPECT_EQ(empty.config->warnings,
            (Strings{"f:1:12: include: \"conf.d/*\" matches no file"}));
}

class ConfigFoldersTest : public testing::Test {
 protected:
  ConfigFoldersTest() {
    std::filesystem::create_directory(PathFromUtf8(folder_.Path("conf.d")));
  }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = folder_.Path(name);
    std::ofstream(PathFromUtf8(path), std::ios::binary) << text;
    return path;
  }
  const TemporaryFolder folder_;
};

TEST_F(ConfigFoldersTest, ReadsWhatMatchesInOrder) {
  const std::string main =
      Write("main.toml",
            "include = [\"conf.d/*.toml\", \"main.toml\", \"z.toml\", "
            "\"conf.d/b.toml\", \"no/*.toml\"]\n" +
                GroupText("main"));
  Write("conf.d/b.toml", GroupText("b"));
  Write("conf.d/a.toml", GroupText("a"));
  Write("conf.d/.#a.toml", "half");
  Write("conf.d/a.toml~", "half");
  Write("z.toml", GroupText("z"));
  const ConfigFiles files = ReadConfigFiles(main);
  EXPECT_EQ(files.paths.size(), 4U);
  EXPECT_EQ(files.paths.front(), main);
  // A file counts once, however often it is named.
  const ConfigOutcome outcome = ParseConfigFiles(files);
  EXPECT_EQ(GroupNames(outcome), (Strings{"main", "a", "b", "z"}));
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->warnings.size(), 1U);
}

TEST_F(ConfigFoldersTest, ANamedFileMustBeThere) {
  const std::string main = Write("main.toml", "include = [\"none.toml\"]\n");
  const ConfigErrors errors = ParseConfigFiles(ReadConfigFiles(main)).errors;
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].starts_with(main + ":1:12: include: reading "))
      << errors[0];
}

TEST_F(ConfigFoldersTest, PathsAreRelativeToTheFileThatHasThem) {
  const std::string main =
      Write("main.toml", "include = [\"conf.d/*.toml\"]\n");
  Write("conf.d/a.toml",
        "[[group]]\nname = \"g\"\n[[group.file_sd]]\nfiles = [\"a.json\"]\n");
  const ConfigOutcome outcome = ParseConfigFiles(ReadConfigFiles(main));
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(
      PathFromUtf8(outcome.config->groups.at(0).file_sd.at(0).files.at(0)),
      std::filesystem::absolute(PathFromUtf8(folder_.Path("conf.d"))) /
          "a.json");
}

TEST_F(ConfigFoldersTest, TargetsAreAGroupWithTheDefaults) {
  const std::string list = Write("hosts.txt",
                                 "\xef\xbb\xbf# all\r\n\r\n"
                                 " a.example \t # one\r\n192.0.2.4/31");
  const ConfigFiles files = ReadTargets({"192.0.2.1", '@' + list, "b.example"});
  EXPECT_EQ(files.paths, (Strings{list}));
  const ConfigOutcome outcome = ParseConfigFiles(files);
  EXPECT_EQ(GroupNames(outcome), (Strings{"targets"}));
  ASSERT_TRUE(outcome.config);
  EXPECT_EQ(outcome.config->pairs.size(), 5U);
  Strings names;
  for (const auto& destination : outcome.config->groups[0].destinations) {
    names.push_back(destination.name);
  }
  EXPECT_EQ(names, (Strings{"192.0.2.1", "a.example", "192.0.2.4", "192.0.2.5",
                            "b.example"}));
  EXPECT_EQ(outcome.config->groups[0].interval, std::chrono::seconds(1));
}

TEST_F(ConfigFoldersTest, ErrorsInTargetsNameTheirPlace) {
  const std::string list =
      Write("hosts.txt", "# all\na.example\nno host\"\\\n\nA.example\n\xff\n");
  const ConfigErrors errors =
      ParseConfigFiles(ReadTargets({"-", '@' + list, "a.example"})).errors;
  ASSERT_EQ(errors.size(), 1U);  // that is no text at all
  EXPECT_TRUE(errors[0].starts_with(list + ":6: ")) << errors[0];
  Write("hosts.txt", "# all\na.example\nno host\"\\\n\nA.example\n");
  const std::string kind =
      " is neither an address, nor a prefix such as \"10.0.0.0/29\", nor a "
      "host name (letters, digits, \"-\" and \"_\" between dots, the last part "
      "not a number)";
  EXPECT_EQ(
      ParseConfigFiles(ReadTargets({"-", '@' + list, "a.example"})).errors,
      (ConfigErrors{
          "--target: group \"targets\": destinations: \"-\"" + kind,
          list + ":3: group \"targets\": destinations: \"no host\\\"\\\\\"" +
              kind,
          list +
              ":5: group \"targets\": destinations: \"A.example\" is a "
              "duplicate of " +
              list + ":2",
          "--target: group \"targets\": destinations: \"a.example\" is a "
          "duplicate of " +
              list + ":2"}));
  Write("hosts.txt", "# none\n");
  EXPECT_EQ(ParseConfigFiles(ReadTargets({'@' + list})).errors,
            (ConfigErrors{"--target: group \"targets\": destinations must not "
                          "be empty"}));
  const ConfigErrors missing =
      ParseConfigFiles(ReadTargets({"@" + list + ".no"})).errors;
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_TRUE(missing[0].find("hosts.txt.no\": ") != std::string::npos)
      << missing[0];
}

}  // namespace
}  // namespace echo_exporter
