#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "examples/char_lm/ngram.hpp"
#include "examples/char_lm/sample.hpp"
#include "examples/char_lm/text.hpp"

using namespace char_lm;

BOOST_AUTO_TEST_SUITE(char_lm_parts)

BOOST_AUTO_TEST_CASE(ngram_probabilities_are_those_of_witten_and_bell) {
  const NGram ngrams("abab", 2);
  // Of 4 bytes 2 are a, of 2 kinds; a was followed twice, by b each time.
  const double a = (2 + 2.0 / 256) / (4 + 2), b = a, b_after_a = (2 + 1 * b) / (2 + 1);
  BOOST_TEST(ngrams.probability("a", 0, 2) == a, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(ngrams.probability("ab", 1, 2) == b_after_a, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(ngrams.probability("ab", 1, 1) == b, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(ngrams.probability("xb", 1, 2) == b, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(ngrams.bits("ab", 2) == -std::log2(a) - std::log2(b_after_a), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(ngram_probabilities_add_up_to_one_after_any_context) {
  const NGram ngrams(stories(20).train, 5);
  for (const std::string context : {"", "the ", "qqqq", "boat", "In t"}) {
    double all = 0;
    for (int byte = 0; byte < 256; ++byte) {
      const std::string text = context + static_cast<char>(byte);
      all += ngrams.probability(text, context.size(), 5);
    }
    BOOST_TEST(all == 1, boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(stories_have_their_bits) {
  const Parts parts = stories(100);
  BOOST_TEST(parts.train == stories(100).train);
  BOOST_TEST(parts.test != parts.valid);
  const auto count = static_cast<double>(std::count(parts.test.begin(), parts.test.end(), '\n'));
  const double extra = (parts.source_bits - 28 * count) / 4;  // 27 bits, one for the middle sentence and 4 of its place
  std::size_t seen = 0;
  for (std::size_t at = 0; (at = parts.test.find("Nobody", at)) != parts.test.npos; ++at) ++seen;
  BOOST_TEST(extra == static_cast<double>(seen), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(printable_allows_utf8_and_nothing_else) {
  const auto good = [](std::string_view text) {
    Printable next;
    for (const char c : text) {
      if (!next.allows(static_cast<unsigned char>(c))) return false;
      next.take(static_cast<unsigned char>(c));
    }
    return next.whole();
  };
  for (const char* text : {"a\n\t~", "é", "\u0800", "\uFFFD", "\uD7FF", "\U00010000", "\U0010FFFF", "日本"}) {
    BOOST_TEST(good(text), text);
  }
  // A control character, overlong forms, a surrogate, beyond the last code point, cut, begun by a continuation.
  for (const char* text : {"\x1b", "\x7f", "\xc2\x85", "\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xe6\x97", "\x80"}) {
    BOOST_TEST(!good(text), "allowed: " << text);
  }
}

BOOST_AUTO_TEST_CASE(draws_follow_temperature_top_k_and_top_p) {
  std::vector<float> logits(256, -40.f);
  logits['a'] = std::log(4.f), logits['b'] = std::log(2.f), logits['c'] = std::log(1.f);
  rw::Random random(1);
  const auto shares = [&](const SampleOptions& options) {
    std::vector<double> counts(256, 0);
    for (int i = 0; i < 40000; ++i) ++counts[draw(logits, Printable(), options, random)];
    return std::array<double, 3>{counts['a'] / 40000, counts['b'] / 40000, counts['c'] / 40000};
  };
  const auto check = [](const std::array<double, 3>& seen, double a, double b, double c) {
    BOOST_TEST(std::abs(seen[0] - a) < 0.01);  // four standard deviations of 40,000 draws
    BOOST_TEST(std::abs(seen[1] - b) < 0.01);
    BOOST_TEST(std::abs(seen[2] - c) < 0.01);
  };
  check(shares({}), 4. / 7, 2. / 7, 1. / 7);
  check(shares({.temperature = 0.5}), 16. / 21, 4. / 21, 1. / 21);
  check(shares({.top_k = 2}), 2. / 3, 1. / 3, 0);
  check(shares({.top_p = 0.8}), 2. / 3, 1. / 3, 0);
  check(shares({.top_p = 0.5}), 1, 0, 0);
  check(shares({.temperature = 0}), 1, 0, 0);
}

BOOST_AUTO_TEST_SUITE_END()
