#include "src/base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

// As RFC 3629 section 3 writes it.
std::string Encode(char32_t code_point) {
  const auto tail = [code_point](int shift) {
    return static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) {
    return {static_cast<char>(0xC0 | code_point >> 6), tail(0)};
  }
  if (code_point < 0x10000) {
    return {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6),
          tail(0)};
}

TEST(Utf8Test, ReadsEveryCharacterAndNoSurrogate) {
  constexpr char32_t kStep = kSanitizers ? 17 : 1;
  for (char32_t code_point = 0; code_point <= 0x10FFFF; code_point += kStep) {
    const std::string text = Encode(code_point);
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    const std::size_t length = surrogate ? 0 : text.size();
    if (Utf8Length(text) != length || Utf8Length(text + "\x80z") != length ||
        (!surrogate && Utf8CodePoint(text + "z") != code_point)) {
      FAIL() << std::hex << static_cast<std::uint32_t>(code_point);
    }
  }
}

TEST(Utf8Test, KnowsTheFirstAndTheLastCharacterOfEachLength) {
  const struct {
    std::string_view text;
    std::size_t length;
    char32_t code_point;
  } cases[] = {
      {std::string_view("\0", 1), 1, 0},
      {"\x7F", 1, 0x7F},
      {"\xC2\x80", 2, 0x80},
      {"\xDF\xBF", 2, 0x7FF},
      {"\xE0\xA0\x80", 3, 0x800},
      {"\xED\x9F\xBF", 3, 0xD7FF},
      {"\xEE\x80\x80", 3, 0xE000},
      {"\xEF\xBF\xBF", 3, 0xFFFF},
      {"\xF0\x90\x80\x80", 4, 0x10000},
      {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.text));
    EXPECT_EQ(Utf8Length(c.text), c.length);
    EXPECT_EQ(Utf8CodePoint(c.text), c.code_point);
    for (std::size_t cut = 1; cut < c.length; ++cut) {
      EXPECT_EQ(Utf8Length(c.text.substr(0, cut)), 0U) << cut;
    }
  }
}

TEST(Utf8Test, RejectsWhatIsNoCharacter) {
  EXPECT_EQ(Utf8Length(""), 0U);
  for (const char* text : {
           "\x80",              // continues nothing
           "\xBF",              //
           "\xC0\xAF",          // overlong '/'
           "\xC1\xBF",          // overlong
           "\xE0\x9F\xBF",      // overlong
           "\xF0\x8F\xBF\xBF",  // overlong
           "\xED\xA0\x80",      // surrogate
           "\xED\xBF\xBF",      // surrogate
           "\xF4\x90\x80\x80",  // above U+10FFFF
           "\xF5\x80\x80\x80",  // above U+10FFFF
           "\xFE",              //
           "\xFF",              //
           "\xC3\"",            // cut by what follows
           "\xC3\xC3",          //
           "\xE6\x9D\n",        //
           "\xE6\n\x9D",        //
           "\xF0\x9F\x8C\\",    //
       }) {
    EXPECT_EQ(Utf8Length(text), 0U) << text;
  }
}

TEST(Utf8Test, CutsBetweenCharacters) {
  const std::string text = "a\xC3\xBC\xE6\x9D\xB1\xF0\x9F\x8C\x90z";
  const std::size_t edges[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t size = 0; size < std::size(edges); ++size) {
    EXPECT_EQ(Utf8Prefix(text, size), text.substr(0, edges[size])) << size;
  }
  EXPECT_EQ(Utf8Prefix("", 0), "");
}

TEST(Utf8Test, KeepsBytesThatBelongToNoCharacterWhenItCuts) {
  EXPECT_EQ(Utf8Prefix("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80\x80\x80\x80");
  EXPECT_EQ(Utf8Prefix("\xFF\xFF\xFF", 2), "\xFF\xFF");
  EXPECT_EQ(Utf8Prefix("\xE6\xE6\x9D\xB1", 2), "\xE6");
}

TEST(Utf8Test, KnowsControlCharacters) {
  for (const std::uint32_t number :
       {0x00, 0x0A, 0x1F, 0x7F, 0x80, 0x85, 0x9F}) {
    SCOPED_TRACE(number);
    EXPECT_TRUE(IsControl(number));
    EXPECT_TRUE(IsInvisible(number));
    EXPECT_TRUE(HasControl("a" + Encode(number) + "z"));
  }
  for (const std::uint32_t number :
       {0x20, 0x7E, 0xA0, 0xFC, 0x061B, 0x2010, 0x2027, 0x202F, 0x2065, 0x206A,
        0x6771, 0x1F310}) {
    SCOPED_TRACE(number);
    EXPECT_FALSE(IsControl(number));
    EXPECT_FALSE(IsInvisible(number));
    EXPECT_FALSE(HasControl(Encode(number)));
  }
  for (const std::uint32_t number : {0x061C, 0x200E, 0x200F, 0x2028, 0x2029,
                                     0x202A, 0x202E, 0x2066, 0x2069}) {
    SCOPED_TRACE(number);
    EXPECT_FALSE(IsControl(number));
    EXPECT_TRUE(IsInvisible(number));
  }
}

TEST(Utf8Test, TakesNoByteOfAnotherCharacterForAControlCharacter) {
  EXPECT_FALSE(HasControl(""));
  EXPECT_FALSE(HasControl("\xE2\x80\x85"));  // U+2005, with a byte 0x85
  EXPECT_FALSE(HasControl("\x85"));          // no character at all
  EXPECT_FALSE(HasControl("\xC2"));
  EXPECT_TRUE(HasControl("\xC2\n"));
}

TEST(TakeUtf8Test, ReplacesEachByteThatBelongsToNoCharacter) {
  std::string_view text = "a\xC3\xA9\xC3(";
  EXPECT_EQ(TakeUtf8(&text), "a");
  EXPECT_EQ(TakeUtf8(&text), "\xC3\xA9");
  EXPECT_EQ(TakeUtf8(&text), kReplacementCharacter);
  EXPECT_EQ(TakeUtf8(&text), "(");
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace echo_exporter
