#include "examples/translate/unicode.hpp"

#include <boost/test/unit_test.hpp>

using namespace translate;

BOOST_AUTO_TEST_SUITE(translate_unicode)

BOOST_AUTO_TEST_CASE(valid_utf8_is_told_from_invalid) {
  for (const char* good : {"", "a", "\u00E9", "\u202F", "\uFFFD", "\uFFFE", "\U0010FFFF", "e\u0301\u200D"})
    BOOST_TEST(is_valid_utf8(good), good);
  BOOST_TEST(is_valid_utf8(std::string_view("a\0b", 3)));
  for (const char* bad : {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF8\x88\x80\x80\x80", "ok \xE2\x80", "\xFF"})
    BOOST_TEST(!is_valid_utf8(bad));
}

BOOST_AUTO_TEST_CASE(code_points_and_back) {
  BOOST_TEST((code_points("a\u00E9\u202F\U0001F600") == U"a\u00E9\u202F\U0001F600"));
  BOOST_TEST((code_points("a\xC3(") == U"a\uFFFD("));
  BOOST_TEST(to_utf8(U"a\u00E9\u202F\U0001F600") == "a\u00E9\u202F\U0001F600");
  BOOST_TEST(to_utf8(std::u32string{0xD800, 0x110000, U'x'}) == "\uFFFD\uFFFDx");
}

BOOST_AUTO_TEST_CASE(lowercase_is_pythons) {
  BOOST_TEST(lowercase("") == "");
  BOOST_TEST(lowercase("\u00C9COLE de L\u2019\u00CELE, \u0152UVRE 12") ==
             "\u00E9cole de l\u2019\u00EEle, \u0153uvre 12");
  BOOST_TEST(lowercase("\u0130") == "i\u0307");
  BOOST_TEST(lowercase("I\u0131\u1E9E\u00DF") == "i\u0131\u00DF\u00DF");
  BOOST_TEST(lowercase("\u039F\u03A3 \u03A3 \u03A3\u03A3\u03A3") == "\u03BF\u03C2 \u03C3 \u03C3\u03C3\u03C2");
  BOOST_TEST(lowercase("A\u0345\u03A3.\u0301 B") == "a\u0345\u03C2.\u0301 b");
  BOOST_TEST(lowercase("\u01C4\U00010400") == "\u01C6\U00010428");
}

BOOST_AUTO_TEST_CASE(white_space_is_pythons) {
  std::u32string spaces;
  for (char32_t point = 0; point <= 0x10FFFF; ++point)
    if (is_space(point)) spaces += point;
  BOOST_TEST((spaces == std::u32string{0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x1C,   0x1D,   0x1E,   0x1F,   0x20,
                                       0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                       0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}));
}

BOOST_AUTO_TEST_CASE(splitting_and_trimming) {
  using Words = std::vector<std::string>;
  BOOST_TEST((split_whitespace("") == Words{}));
  BOOST_TEST((split_whitespace(" \u00A0\n") == Words{}));
  BOOST_TEST(
      (split_whitespace("  \u00E7a\u202Fva\u2009 ?\u001Foui\u200Bnon") == Words{"\u00E7a", "va", "?", "oui\u200Bnon"}));
  BOOST_TEST((split_whitespace("a \xC3 b") == Words{"a", "\xC3", "b"}));
  BOOST_TEST(trim("") == "");
  BOOST_TEST(trim("\u202F \t") == "");
  BOOST_TEST(trim("\u00A0 a b\u3000c \u2028") == "a b\u3000c");
  BOOST_TEST(trim("\u200B x") == "\u200B x");
}

BOOST_AUTO_TEST_SUITE_END()
