#include "src/config/document_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/config/document_text.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

std::optional<Document> Parse(DocumentFormat format, std::string_view text,
                              Findings& findings) {
  switch (format) {
    case DocumentFormat::kToml:
      return ParseToml(text, findings);
    case DocumentFormat::kYaml:
      return ParseYaml(text, findings);
    case DocumentFormat::kJson:
      return ParseJson(text, findings);
  }
  return std::nullopt;
}

/// What `read` has a reader of the text's root find wrong.
template <typename Read>
Strings ErrorsOf(DocumentFormat format, std::string_view text, Read read) {
  Findings findings("f");
  const auto document = Parse(format, text, findings);
  if (document) {
    DocumentReader reader(*document, findings);
    read(reader);
  }
  return findings.Errors();
}

/// Asks for each key the type that it is named after.
void ReadEveryType(DocumentReader& reader) {
  bool boolean = false;
  reader.ReadBoolean("boolean", &boolean);
  int integer = 0;
  reader.ReadInteger("integer", 1, 9, &integer);
  double number = 0;
  reader.ReadNumber("number", 0, 1, &number);
  Nanoseconds duration{};
  reader.ReadDuration("duration", milliseconds(1), seconds(1), &duration);
  reader.ReadText("text");
  reader.ReadTexts("texts");
  reader.ReadNumbers("numbers");
  reader.ReadTable("table");
  reader.ReadTables("tables");
  reader.ReportUnknownKeys();
}

TEST(DocumentReaderTest, ReadsTheSameFromEveryFormat) {
  const std::vector<std::pair<DocumentFormat, std::string_view>> documents = {
      {DocumentFormat::kToml,
       "boolean = true\ninteger = 7\nnumber = 0.5\nduration = \"250ms\"\n"
       "text = \"x\"\ntexts = [\"a\", \"b\"]\nnumbers = [1, 2.5]\n"
       "tables = [{ k = \"v\" }]\n"},
      {DocumentFormat::kYaml,
       "boolean: yes\ninteger: 7\nnumber: 0.5\nduration: 250ms\ntext: x\n"
       "texts: [a, 'b']\nnumbers: [1, 2.5]\ntables:\n  - k: v\n"},
      {DocumentFormat::kJson,
       "{\"boolean\": true, \"integer\": 7, \"number\": 0.5, \"duration\": "
       "\"250ms\", \"text\": \"x\", \"texts\": [\"a\", \"b\"], \"numbers\": "
       "[1, 2.5], \"tables\": [{\"k\": \"v\"}]}"}};
  for (const auto& [format, text] : documents) {
    const Strings errors = ErrorsOf(format, text, [](DocumentReader& reader) {
      bool boolean = false;
      reader.ReadBoolean("boolean", &boolean);
      EXPECT_TRUE(boolean);
      std::uint8_t integer = 0;
      reader.ReadInteger<std::uint8_t>("integer", 7, 7, &integer);
      EXPECT_EQ(integer, 7);
      double number = 0;
      reader.ReadNumber("number", 0.5, 0.5, &number);
      EXPECT_EQ(number, 0.5);
      Nanoseconds duration{};
      reader.ReadDuration("duration", milliseconds(250), seconds(1), &duration);
      EXPECT_EQ(duration, milliseconds(250));
      EXPECT_EQ(reader.ReadText("text").value().value, "x");
      const auto texts = reader.ReadTexts("texts").value();
      ASSERT_EQ(texts.size(), 2U);
      EXPECT_EQ(texts[1].value, "b");
      const auto numbers = reader.ReadNumbers("numbers").value();
      ASSERT_EQ(numbers.size(), 2U);
      EXPECT_EQ(numbers[0].value, 1);
      const auto tables = reader.ReadTables("tables");
      ASSERT_EQ(tables.size(), 1U);
      const auto all = reader.Enter(*tables[0], "").ReadAllTexts();
      ASSERT_EQ(all.size(), 1U);
      EXPECT_EQ(all[0].first.value + all[0].second.value, "kv");
      EXPECT_FALSE(reader.Has("table"));
      EXPECT_EQ(reader.ReadTable("table"), nullptr);
      reader.ReportUnknownKeys();
    });
    EXPECT_EQ(errors, Strings()) << text;
  }
}

TEST(DocumentReaderTest, LeavesVariablesAloneWhenAValueIsWrongOrMissing) {
  ErrorsOf(DocumentFormat::kJson, "{\"a\": 10, \"b\": \"x\"}",
           [](DocumentReader& reader) {
             int integer = 5;
             reader.ReadInteger("a", 1, 9, &integer);
             reader.ReadInteger("b", 1, 9, &integer);
             reader.ReadInteger("c", 1, 9, &integer);
             EXPECT_EQ(integer, 5);
             EXPECT_EQ(reader.error_count(), 2U);
           });
}

TEST(DocumentReaderTest, SaysWhatTomlMustBe) {
  EXPECT_EQ(
      ErrorsOf(DocumentFormat::kToml,
               "boolean = 1\ninteger = 10\nnumber = 2\nduration = \"2s\"\n"
               "text = 5\ntexts = [\"a\", 1]\nnumbers = 1\ntable = []\n"
               "tables = {}\n",
               ReadEveryType),
      (Strings{"f:1:11: boolean must be true or false, not an integer",
               "f:2:11: integer must be from 1 to 9, not 10",
               "f:3:10: number must be a number from 0 to 1, not 2",
               "f:4:12: duration must be from 1ms to 1s, not \"2s\"",
               "f:5:8: text must be a string, not an integer",
               "f:6:15: texts must be an array of strings only, not an integer",
               "f:7:11: numbers must be an array of numbers, not an integer",
               "f:8:9: table must be a table, not an array",
               ("f:9:10: tables must be an array of tables, each headed "
                "[[tables]], not a table")}));
}

TEST(DocumentReaderTest, SaysWhatJsonMustBe) {
  EXPECT_EQ(
      ErrorsOf(DocumentFormat::kJson,
               "{\"boolean\": null,\n\"integer\": 1.0,\n\"number\": \"1\",\n"
               "\"duration\": 5,\n\"text\": {},\n\"texts\": [null],\n"
               "\"numbers\": [1, \"2\"],\n\"table\": [],\n\"tables\": [{}, 7],"
               "\n\"tabel\": 1}",
               ReadEveryType),
      (Strings{
          "f:1:13: boolean must be true or false, not null",
          "f:2:12: integer must be an integer from 1 to 9, not a float",
          "f:3:11: number must be a number from 0 to 1, not a string",
          ("f:4:13: duration must be a duration from 1ms to 1s, such as "
           "\"1s\", not an integer"),
          "f:5:9: \"text\" must be a string, not an object",
          "f:6:11: \"texts\" must be an array of strings only, not null",
          "f:7:16: \"numbers\" must be an array of numbers only, not a string",
          "f:8:10: \"table\" must be an object, not an array",
          "f:9:16: tables must be an array of objects, not an integer",
          "f:10:1: unknown key \"tabel\"; did you mean \"table\"?"}));
}

TEST(DocumentReaderTest, NeverRepeatsAValueOfADocumentThatMayHoldSecrets) {
  EXPECT_EQ(
      ErrorsOf(DocumentFormat::kYaml,
               "boolean: 's3cret'\ninteger: 1234\nnumber: 1234\n"
               "duration: s3cret\ntext: [s3cret]\ntexts: s3cret\n"
               "numbers: [s3cret]\ntable: s3cret\ntables: s3cret\n",
               ReadEveryType),
      (Strings{
          "f:1:10: boolean must be true or false",
          "f:2:10: integer must be a whole number from 1 to 9",
          "f:3:9: number must be a number from 0 to 1",
          ("f:4:11: duration must be a duration such as \"250ms\", \"1s\" or "
           "\"1h30m\""),
          "f:5:7: \"text\" must be a string, not a list",
          "f:6:8: \"texts\" must be a list of strings, not a scalar",
          "f:7:11: \"numbers\" must be a list of numbers only, not a scalar",
          "f:8:8: \"table\" must be a mapping, not a scalar",
          "f:9:9: tables must be a list of mappings, not a scalar"}));
}

TEST(DocumentReaderTest, ReadsAnyYamlScalarAsText) {
  EXPECT_EQ(ErrorsOf(DocumentFormat::kYaml, "a: 010\nb: Yes\nc: ~\n",
                     [](DocumentReader& reader) {
                       EXPECT_EQ(reader.ReadText("a").value().value, "010");
                       EXPECT_EQ(reader.ReadText("b").value().value, "Yes");
                       EXPECT_FALSE(reader.ReadText("c"));
                     }),
            (Strings{"f:3:1: \"c\" must be a string, not null"}));
}

TEST(DocumentReaderTest, ReportsWrongKeysOfEveryTableItReads) {
  EXPECT_EQ(ErrorsOf(DocumentFormat::kYaml, "s:\n  a: 1\n  a: 2\n? [k]\n: v\n",
                     [](DocumentReader& reader) {
                       reader.ReadSection("s", "s: ", [](DocumentReader& s) {
                         EXPECT_EQ(s.ReadText("a").value().value, "1");
                       });
                     }),
            (Strings{"f:3:3: s: \"a\" is a duplicate; first on line 2",
                     "f:4:3: a key must be a string, not a list"}));
}

TEST(DocumentReaderTest, EntersTheTablesOfARootThatIsAnArray) {
  Findings findings("f");
  const auto document =
      ParseJson("[{\"targets\": [\"a\", \"b\"]}, {\"target\": []}]", findings);
  ASSERT_TRUE(document);
  const DocumentReader root(*document, findings);
  EXPECT_FALSE(root.Has("targets"));
  std::size_t targets = 0;
  for (const DocumentNode& group : document->root.children) {
    DocumentReader reader = root.Enter(group, "group: ");
    if (const auto texts = reader.ReadTexts("targets")) targets = texts->size();
    reader.ReportUnknownKeys();
  }
  EXPECT_EQ(targets, 2U);
  EXPECT_EQ(findings.Errors(),
            (Strings{"f:1:28: group: unknown key \"target\"; did you mean "
                     "\"targets\"?"}));
}

}  // namespace
}  // namespace echo_exporter
