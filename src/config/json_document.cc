#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "src/config/document.h"
#include "src/config/document_builder.h"

namespace echo_exporter {
namespace {

using Kind = DocumentNode::Kind;
using Json = nlohmann::json;

constexpr std::string_view kNotJson = "not valid JSON: ";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Builds the tree of a text. A member function that returns false has added an
/// error, and the parser stops.
class JsonTree final : public Json::json_sax_t {
 public:
  JsonTree(std::string_view text, Findings& findings, std::size_t max_values)
      : text_(text),
        token_end_(text.starts_with(kByteOrderMark) ? kByteOrderMark.size()
                                                    : 0),
        stream_(std::string(text)),
        positions_(text, token_end_),
        findings_(findings),
        builder_(DocumentFormat::kJson, max_values) {}

  bool Parse() {
    // The parser would take it for the end of the text.
    if (const auto nul = text_.find('\0'); nul != std::string_view::npos) {
      AddError(nul, "a NUL character");
      return false;
    }
    return Json::sax_parse(stream_, this);
  }

  DocumentNode TakeRoot() { return builder_.TakeRoot(); }

  bool null() override { return Add(Leaf(Kind::kNull)); }

  bool boolean(bool value) override {
    DocumentNode node = Leaf(Kind::kBoolean);
    node.boolean = value;
    return Add(std::move(node));
  }

  bool number_integer(std::int64_t value) override {
    DocumentNode node = Leaf(Kind::kInteger);
    node.integer = value;
    node.number = static_cast<double>(value);
    return Add(std::move(node));
  }

  bool number_unsigned(std::uint64_t value) override {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    if (value > std::uint64_t{kMost}) {
      return number_float(static_cast<double>(value), {});
    }
    return number_integer(static_cast<std::int64_t>(value));
  }

  bool number_float(double value, const std::string&) override {
    DocumentNode node = Leaf(Kind::kFloat);
    node.number = value;
    return Add(std::move(node));
  }

  bool string(std::string& value) override {
    DocumentNode node = Leaf(Kind::kText);
    node.text = std::move(value);
    return Add(std::move(node));
  }

  bool binary(Json::binary_t&) override { return false; }  // none in JSON

  bool key(std::string& name) override { return string(name); }
  bool start_object(std::size_t) override { return Open(Kind::kTable); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Kind::kArray); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t position, const std::string& token,
                   const Json::exception& error) override;

 private:
  /// Returns the position of the token that the parser has just read. Between
  /// it and the previous token are only spaces, commas and colons, some of
  /// which the parser may have read before it reported the previous token.
  TextPosition TakeToken() {
    const std::size_t begin = text_.find_first_not_of(" \t\r\n,:", token_end_);
    token_end_ = Consumed();
    return positions_.At(begin);
  }

  /// The bytes that the parser has read, which it does not report itself.
  std::size_t Consumed() {
    return static_cast<std::size_t>(
        stream_.rdbuf()->pubseekoff(0, std::ios::cur, std::ios::in));
  }

  DocumentNode Leaf(Kind kind) {
    DocumentNode node;
    node.kind = kind;
    node.position = TakeToken();
    return node;
  }

  bool Add(DocumentNode node) {
    if (!builder_.HasRoom()) {
      findings_.AddError(node.position, std::string(kNotJson).append(
                                            builder_.TooManySentence()));
      return false;
    }
    builder_.Add(std::move(node));
    return true;
  }

  bool Open(Kind kind) {
    const TextPosition position = TakeToken();
    if (!builder_.HasRoomFor(1)) {
      findings_.AddError(position,
                         std::string(kNotJson).append(kTooDeepSentence));
      return false;
    }
    builder_.Open(kind, position);
    return true;
  }

  bool Close() {
    token_end_ = Consumed();
    DocumentNode node = builder_.Close();
    for (const Finding& fault : std::exchange(node.faults, {})) {
      findings_.AddError(fault.position, "key " + fault.sentence);
    }
    return Add(std::move(node));
  }

  void AddError(std::size_t offset, std::string_view sentence) {
    findings_.AddError(positions_.At(offset),
                       std::string(kNotJson).append(sentence));
  }

  std::string_view text_;
  std::size_t token_end_;
  std::istringstream stream_;  ///< of the text
  PositionFinder positions_;
  Findings& findings_;
  DocumentBuilder builder_;
};

/// The offset of the character that contains the byte at `offset`.
std::size_t CharacterBegin(std::string_view text, std::size_t offset) {
  while (offset > 0 && offset < text.size() && ContinuesUtf8(text[offset]) &&
         (text[offset - 1] & 0x80) != 0) {
    --offset;
  }
  return offset;
}

/// The offset of the token whose last byte is at `last`. `size` is reliable
/// for strings only.
std::size_t TokenBegin(std::string_view text, std::size_t last,
                       std::size_t size) {
  if (last >= text.size()) return text.size();
  if (text[last] == '"') return last + 1 - std::min(size, last + 1);
  constexpr std::string_view kWord =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
  if (kWord.find(text[last]) == std::string_view::npos) return last;
  return text.find_last_not_of(kWord, last) + 1;  // from the start: 0
}

// The parser reports its position, in bytes from 1, and a sentence such as
// "[...] parse error at ...: syntax error while parsing value - unexpected
// ']'; expected ..." or "... - invalid literal; last read: '[x'".
bool JsonTree::parse_error(std::size_t position, const std::string& token,
                           const Json::exception& error) {
  constexpr int kNumberOverflow = 406;
  const std::size_t last = std::max<std::size_t>(position, 1) - 1;
  if (error.id == kNumberOverflow) {
    AddError(TokenBegin(text_, last, token.size()), "a number is too large");
    return false;
  }
  std::string_view sentence = error.what();
  if (const auto dash = sentence.find(" - "); dash != std::string_view::npos) {
    sentence.remove_prefix(dash + 3);
  }
  const std::size_t quotation = sentence.find("; last read: ");
  const bool whole_token = quotation == std::string_view::npos;
  AddError(whole_token ? TokenBegin(text_, last, token.size())
                       : CharacterBegin(text_, last),
           sentence.substr(0, quotation));
  return false;
}

}  // namespace

std::optional<Document> ParseJson(std::string_view text, Findings& findings,
                                  std::size_t max_values) {
  if (text.empty()) {  // versions of the parser word this error differently
    findings.AddError({1, 1}, std::string(kNotJson).append("it is empty"));
    return std::nullopt;
  }
  if (!CheckEncoding(text, findings)) return std::nullopt;
  const std::size_t errors_before = findings.error_count();
  JsonTree tree(text, findings, max_values);
  if (!tree.Parse() || findings.error_count() != errors_before) {
    return std::nullopt;
  }
  return Document{DocumentFormat::kJson, false, tree.TakeRoot()};
}

}  // namespace echo_exporter
